use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use super::*;
use crate::lifecycle::{Event, HealthPolicy, Phase, Readiness, RestartPolicy};
use crate::{StopPolicy, Stopped};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A supervised process on a clock of its own.
struct Story {
    lifecycle: Lifecycle,
    now: Instant,
}

impl Story {
    fn starting() -> Self {
        let lifecycle = Lifecycle::new(READY_WITHIN, 1)
            .with_restarts(Some(RestartPolicy::default()))
            .with_health(Some(HealthPolicy::default()));
        let mut story = Self {
            lifecycle,
            now: Instant::now(),
        };
        story.on(Event::Start);
        story.on(Event::Spawned);
        story
    }

    fn ready() -> Self {
        let mut story = Self::starting();
        story.on(Event::Probed(Readiness::Ready));
        assert_eq!(story.lifecycle.phase(), Phase::Ready);
        story
    }

    fn on(&mut self, event: Event) -> Vec<Action> {
        self.lifecycle.on_event(event, self.now)
    }

    /// Lets time pass until something is due, and says what to do then.
    fn next(&mut self) -> Vec<Action> {
        self.now = self.lifecycle.deadline().expect("something is due");
        self.on(Event::Tick)
    }

    /// Makes a ready process unhealthy; it is asked to end.
    fn sicken(&mut self) -> Vec<Action> {
        for _ in 0..2 {
            assert_eq!(self.next(), [Action::CheckHealth]);
            assert_eq!(self.on(sick()), []);
        }
        assert_eq!(self.next(), [Action::CheckHealth]);
        self.on(sick())
    }
}

fn sick() -> Event {
    Event::Probed(Readiness::NotYet("frozen".to_owned()))
}

fn exited(code: i32) -> Event {
    Event::Exited {
        status: ExitStatus::from_raw(code << 8),
        unlucky: false,
    }
}

fn restarting(actions: &[Action]) -> (Failure, Duration) {
    match actions {
        [Action::Report(Report::Restarting { failure, wait })] => (failure.clone(), *wait),
        other => panic!("no restart: {other:?}"),
    }
}

#[test]
fn a_death_when_ready_is_followed_by_another_start_after_a_wait() {
    let mut story = Story::ready();
    let (failure, wait) = restarting(&story.on(exited(3)));
    assert!(matches!(failure, Failure::Died { .. }));
    assert_eq!(wait, RestartPolicy::default().first);
    assert_eq!(story.lifecycle.phase(), Phase::Restarting);
    let died = story.now;
    assert_eq!(story.next(), [Action::Spawn]);
    assert_eq!(story.now - died, wait);
    assert_eq!(story.on(Event::Spawned), [Action::Probe]);
    assert_eq!(story.lifecycle.phase(), Phase::Restarting);
    story.on(Event::Probed(Readiness::Ready));
    assert_eq!(story.lifecycle.phase(), Phase::Ready);
}

#[test]
fn a_first_start_that_fails_is_final() {
    let mut story = Story::starting();
    assert!(matches!(
        story.on(exited(3))[..],
        [Action::Report(Report::Failed(Failure::DiedStarting { .. }))]
    ));
    assert_eq!(story.lifecycle.phase(), Phase::Gone);
}

#[test]
fn one_that_always_dies_is_started_less_and_less_often_and_then_given_up() {
    let mut story = Story::ready();
    let mut waits = Vec::new();
    let failure = loop {
        match &story.on(exited(1))[..] {
            [Action::Report(Report::Restarting { wait, .. })] => waits.push(*wait),
            [Action::Report(Report::Failed(failure))] => break failure.clone(),
            other => panic!("{other:?}"),
        }
        assert_eq!(story.next(), [Action::Spawn]);
        story.on(Event::Spawned);
    };
    assert_eq!(waits.len(), RestartPolicy::default().limit as usize);
    assert!(waits.is_sorted() && waits[0] < waits[5], "{waits:?}");
    assert!(matches!(failure, Failure::DiedStarting { .. }));
    assert_eq!(story.lifecycle.deadline(), None, "nothing follows");
}

#[test]
fn an_unhealthy_process_is_thawed_and_asked_to_end_and_started_again() {
    let mut story = Story::ready();
    let actions = story.sicken();
    let failure = Failure::Unhealthy {
        last: "frozen".to_owned(),
    };
    assert_eq!(
        actions,
        [
            Action::Report(Report::Unhealthy(failure.clone())),
            Action::Signal(Signal::TERM),
            Action::Signal(Signal::CONT)
        ]
    );
    assert_eq!(story.lifecycle.phase(), Phase::Unhealthy);
    assert_eq!(restarting(&story.on(exited(0))).0, failure);
}

#[test]
fn an_unhealthy_process_that_does_not_end_is_killed_and_one_that_cannot_be_is_given_up() {
    let mut story = Story::ready();
    story.sicken();
    let asked = story.now;
    assert_eq!(story.next(), [Action::Signal(Signal::KILL)]);
    assert_eq!(story.now - asked, GRACE);
    assert_eq!(
        story.next(),
        [Action::Report(Report::Failed(Failure::Unkillable))]
    );
    assert_eq!(story.lifecycle.phase(), Phase::Gone);
}

#[test]
fn a_restart_that_does_not_become_ready_is_killed_and_counts_as_a_failure() {
    let mut story = Story::ready();
    restarting(&story.on(exited(1)));
    story.next();
    story.on(Event::Spawned);
    story.now += READY_WITHIN;
    assert_eq!(story.on(Event::Tick), [Action::Signal(Signal::KILL)]);
    let (failure, wait) = restarting(&story.on(exited(9)));
    assert!(matches!(failure, Failure::NotReady { .. }), "{failure}");
    assert_eq!(wait, RestartPolicy::default().first * 2);
}

#[test]
fn a_program_that_vanished_is_tried_again_too() {
    let mut story = Story::ready();
    restarting(&story.on(exited(1)));
    story.next();
    let actions = story.on(Event::SpawnFailed("no such file".to_owned()));
    assert!(matches!(restarting(&actions).0, Failure::Spawn(_)));
}

#[test]
fn a_stop_while_waiting_for_a_restart_ends_at_once_and_nothing_starts() {
    let mut story = Story::ready();
    restarting(&story.on(exited(1)));
    let stopped = Stopped {
        status: None,
        forced: false,
        took: Duration::ZERO,
    };
    assert_eq!(
        story.on(Event::Stop(StopPolicy::default())),
        [Action::Report(Report::Stopped(stopped))]
    );
    assert_eq!(story.lifecycle.deadline(), None);
}

#[test]
fn a_stop_takes_over_from_a_replacement() {
    let mut story = Story::ready();
    story.sicken();
    story.on(Event::Stop(StopPolicy::default()));
    assert_eq!(story.lifecycle.phase(), Phase::Stopping);
    assert!(matches!(
        story.on(exited(0))[..],
        [Action::Report(Report::Stopped(_))]
    ));
}

#[test]
fn nothing_is_started_again_once_the_stop_is_decided() {
    let mut waiting = Story::ready();
    restarting(&waiting.on(exited(1)));
    assert!(matches!(
        waiting.on(Event::Retire)[..],
        [Action::Report(Report::Stopped(_))]
    ));
    let mut ready = Story::ready();
    assert_eq!(ready.on(Event::Retire), []);
    assert_eq!(ready.lifecycle.deadline(), None, "it is not watched");
    assert!(matches!(
        ready.on(exited(1))[..],
        [Action::Report(Report::Failed(Failure::Died { .. }))]
    ));
}
