use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use rustix::process::Signal;

use super::*;
use crate::{
    Failure, Readiness,
    lifecycle::{Action as Do, Event as Happened},
};

const READY_WITHIN: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(10);

/// No service.
const NONE: [usize; 0] = [];

fn member(depends_on: &[usize]) -> Member {
    Member {
        depends_on: depends_on.to_vec(),
        stop: StopPolicy::Graceful { grace: GRACE },
        ready_within: READY_WITHIN,
        restart: None,
        health: None,
    }
}

fn exited() -> Happened {
    Happened::Exited {
        status: ExitStatus::from_raw(0),
        unlucky: false,
    }
}

/// Drives a machine whose spawns and probes succeed at once, and notes what it asks for.
struct Story {
    machine: Machine,
    now: Instant,
}

impl Story {
    fn new(members: Vec<Member>) -> Self {
        Self {
            machine: Machine::new(members, 1),
            now: Instant::now(),
        }
    }

    fn on(&mut self, event: Event) -> Vec<Action> {
        self.machine.on_event(event, self.now)
    }

    fn service(&mut self, index: usize, event: Happened) -> Vec<Action> {
        self.on(Event::Service(index, event))
    }

    /// Spawned and proven ready; returns what that sets off.
    fn becomes_ready(&mut self, index: usize) -> Vec<Action> {
        assert_eq!(
            self.service(index, Happened::Spawned),
            [Action::Service(index, Do::Probe)]
        );
        self.service(index, Happened::Probed(Readiness::Ready))
    }
}

fn spawns(actions: &[Action]) -> Vec<usize> {
    actions
        .iter()
        .filter_map(|a| {
            if let Action::Service(i, Do::Spawn) = a {
                Some(*i)
            } else {
                None
            }
        })
        .collect()
}

fn signals(actions: &[Action], signal: Signal) -> Vec<usize> {
    actions
        .iter()
        .filter_map(|a| {
            if let Action::Service(i, Do::Signal(s)) = a
                && *s == signal
            {
                Some(*i)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn independent_services_start_at_once_and_dependents_as_soon_as_theirs_are_ready() {
    let mut story = Story::new(vec![
        member(&[]),
        member(&[]),
        member(&[0]),
        member(&[1, 2]),
    ]);
    assert_eq!(spawns(&story.on(Event::Start)), [0, 1]);
    assert_eq!(
        spawns(&story.becomes_ready(0)),
        [2],
        "2 does not wait for 1"
    );
    assert_eq!(spawns(&story.becomes_ready(1)), NONE);
    assert_eq!(spawns(&story.becomes_ready(2)), [3]);
    assert!(story.becomes_ready(3).contains(&Action::AllReady));
}

#[test]
fn dependents_stop_before_what_they_depend_on() {
    let mut story = Story::new(vec![member(&[]), member(&[0]), member(&[0])]);
    story.on(Event::Start);
    (0..3).for_each(|index| drop(story.becomes_ready(index)));
    assert_eq!(
        signals(&story.on(Event::Stop), Signal::TERM),
        [2, 1],
        "both dependents at once, and not yet 0"
    );
    assert_eq!(signals(&story.service(1, exited()), Signal::TERM), NONE);
    assert_eq!(signals(&story.service(2, exited()), Signal::TERM), [0]);
    assert!(story.service(0, exited()).contains(&Action::AllGone));
}

#[test]
fn the_first_failure_brings_the_rest_down_and_starts_nothing_more() {
    let mut story = Story::new(vec![member(&[]), member(&[]), member(&[0, 1])]);
    story.on(Event::Start);
    story.becomes_ready(0);
    story.service(1, Happened::Spawned);
    let actions = story.service(1, exited());
    assert!(
        matches!(
            &actions[0],
            Action::Service(1, Do::Report(Report::Failed(Failure::DiedStarting { .. })))
        ),
        "{actions:?}"
    );
    assert_eq!(signals(&actions, Signal::TERM), [0]);
    assert_eq!(spawns(&actions), NONE);
    assert!(story.service(0, exited()).contains(&Action::AllGone));
}

#[test]
fn kill_hits_everything_at_once_whatever_the_order() {
    let mut story = Story::new(vec![member(&[]), member(&[0])]);
    story.on(Event::Start);
    story.becomes_ready(0);
    story.becomes_ready(1);
    story.on(Event::Stop);
    let mut killed = signals(&story.on(Event::Kill), Signal::KILL);
    killed.sort_unstable();
    assert_eq!(killed, [0, 1]);
}

#[test]
fn a_stop_before_the_start_ends_at_once_without_a_process() {
    let mut story = Story::new(vec![member(&[]), member(&[0])]);
    let actions = story.on(Event::Stop);
    assert!(
        actions.contains(&Action::AllGone) && spawns(&actions).is_empty(),
        "{actions:?}"
    );
    assert_eq!(
        spawns(&story.on(Event::Start)),
        NONE,
        "what was stopped does not come up again"
    );
}

#[test]
fn a_start_after_the_stop_does_not_keep_anything_up() {
    let mut story = Story::new(vec![member(&[]), member(&[0])]);
    story.on(Event::Start);
    story.becomes_ready(0);
    story.becomes_ready(1);
    story.on(Event::Stop);
    story.on(Event::Start);
    assert_eq!(signals(&story.service(1, exited()), Signal::TERM), [0]);
}

#[test]
fn nothing_at_all_is_ready_at_once() {
    assert_eq!(Story::new(vec![]).on(Event::Start), [Action::AllReady]);
}

#[test]
#[should_panic(expected = "depends on a later one")]
fn a_cycle_is_refused() {
    Machine::new(vec![member(&[0])], 1);
}
