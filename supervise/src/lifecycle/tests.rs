use std::os::unix::process::ExitStatusExt;

use proptest::prelude::*;

use super::*;

const READY_WITHIN: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(10);
const GRACEFUL: StopPolicy = StopPolicy::Graceful { grace: GRACE };

/// A lifecycle on a clock of its own.
struct Story {
    lifecycle: Lifecycle,
    now: Instant,
}

impl Story {
    fn new() -> Self {
        Self {
            lifecycle: Lifecycle::new(READY_WITHIN, 1),
            now: Instant::now(),
        }
    }

    fn on(&mut self, event: Event) -> Vec<Action> {
        self.lifecycle.on_event(event, self.now)
    }

    fn later(&mut self, by: Duration) -> Vec<Action> {
        self.now += by;
        self.on(Event::Tick)
    }

    fn starting() -> Self {
        let mut story = Self::new();
        assert_eq!(story.on(Event::Start), [Action::Spawn]);
        assert_eq!(story.on(Event::Spawned), [Action::Probe]);
        story
    }

    fn ready() -> Self {
        let mut story = Self::starting();
        story.on(Event::Probed(Readiness::Ready));
        assert!(story.lifecycle.is_ready());
        story
    }
}

fn exit(code: i32) -> ExitStatus {
    ExitStatus::from_raw(code << 8)
}

fn exited(code: i32) -> Event {
    Event::Exited {
        status: exit(code),
        unlucky: false,
    }
}

fn unlucky() -> Event {
    Event::Exited {
        status: exit(1),
        unlucky: true,
    }
}

fn not_yet(seen: &str) -> Event {
    Event::Probed(Readiness::NotYet(seen.to_owned()))
}

#[test]
fn the_first_probe_comes_without_a_wait_and_the_next_within_five_milliseconds() {
    let mut story = Story::starting();
    assert_eq!(story.on(not_yet("refused")), []);
    assert_eq!(
        story.later(Duration::from_millis(1)),
        [],
        "not before its time"
    );
    assert_eq!(story.later(Duration::from_millis(4)), [Action::Probe]);
}

#[test]
fn one_probe_at_a_time() {
    let mut story = Story::starting();
    assert_eq!(
        story.later(Duration::from_secs(1)),
        [],
        "the first probe has not come back"
    );
    assert_eq!(story.on(not_yet("refused")), []);
    assert_eq!(
        story.on(Event::Probed(Readiness::Ready)),
        [],
        "nobody asked for this one"
    );
    assert!(!story.lifecycle.is_ready());
}

#[test]
fn ready_is_told_with_the_time_since_the_start() {
    let mut story = Story::starting();
    story.now += Duration::from_millis(380);
    assert_eq!(
        story.on(Event::Probed(Readiness::Ready)),
        [Action::Report(Report::Ready(Duration::from_millis(380)))]
    );
    assert_eq!(
        story.lifecycle.deadline(),
        None,
        "a ready process has no deadline"
    );
}

#[test]
fn death_while_starting_is_told_at_once_with_what_the_last_probe_saw() {
    let mut story = Story::starting();
    story.on(not_yet("connection refused"));
    let failure = Failure::DiedStarting {
        status: exit(3),
        last: "connection refused".into(),
    };
    assert_eq!(
        story.on(exited(3)),
        [Action::Report(Report::Failed(failure))]
    );
    assert!(story.lifecycle.is_gone());
}

#[test]
fn death_when_ready_is_a_failure_even_with_exit_code_zero() {
    let mut story = Story::ready();
    assert_eq!(
        story.on(exited(0)),
        [Action::Report(Report::Failed(Failure::Died {
            status: exit(0)
        }))]
    );
}

#[test]
fn readiness_after_death_is_not_believed() {
    let mut story = Story::starting();
    story.on(exited(1));
    assert_eq!(story.on(Event::Probed(Readiness::Ready)), []);
    assert!(!story.lifecycle.is_ready());
}

#[test]
fn time_out_kills_and_tells_the_last_status() {
    let mut story = Story::starting();
    story.on(not_yet("NOT_SERVING"));
    story.now += READY_WITHIN;
    let failure = Failure::NotReady {
        limit: READY_WITHIN,
        last: "NOT_SERVING".into(),
    };
    assert_eq!(
        story.on(Event::Tick),
        [
            Action::Report(Report::Failed(failure)),
            Action::Signal(Signal::KILL)
        ]
    );
    assert_eq!(story.on(exited(0)), [], "one failure, one report");
    assert!(story.lifecycle.is_gone());
}

#[test]
fn time_out_does_not_wait_for_a_probe_that_hangs() {
    let mut story = Story::starting();
    assert_eq!(story.lifecycle.deadline(), Some(story.now + READY_WITHIN));
    assert!(
        story
            .later(READY_WITHIN)
            .contains(&Action::Signal(Signal::KILL))
    );
}

#[test]
fn bad_luck_gets_another_start_and_persistent_bad_luck_is_a_failure() {
    let mut story = Story::starting();
    for _ in 1..STARTS {
        assert_eq!(story.on(unlucky()), [Action::Spawn]);
        assert_eq!(story.on(Event::Spawned), [Action::Probe]);
    }
    assert!(matches!(
        story.on(unlucky())[..],
        [Action::Report(Report::Failed(Failure::DiedStarting { .. }))]
    ));
}

#[test]
fn another_start_does_not_extend_the_deadline() {
    let mut story = Story::starting();
    let deadline = story.lifecycle.deadline();
    story.now += Duration::from_secs(20);
    story.on(unlucky());
    story.on(Event::Spawned);
    assert_eq!(story.lifecycle.deadline(), deadline);
}

#[test]
fn bad_luck_once_ready_is_a_failure() {
    let mut story = Story::ready();
    assert!(matches!(
        story.on(unlucky())[..],
        [Action::Report(Report::Failed(Failure::Died { .. }))]
    ));
}

#[test]
fn a_graceful_stop_asks_and_thaws_and_is_not_forced() {
    let mut story = Story::ready();
    assert_eq!(
        story.on(Event::Stop(GRACEFUL)),
        [Action::Signal(Signal::TERM), Action::Signal(Signal::CONT)]
    );
    story.now += Duration::from_millis(40);
    let stopped = Stopped {
        status: Some(exit(0)),
        forced: false,
        took: Duration::from_millis(40),
    };
    assert_eq!(
        story.on(exited(0)),
        [Action::Report(Report::Stopped(stopped))]
    );
}

#[test]
fn a_process_that_ignores_the_request_is_killed_and_counted() {
    let mut story = Story::ready();
    story.on(Event::Stop(GRACEFUL));
    assert_eq!(story.later(GRACE - Duration::from_millis(1)), []);
    assert_eq!(
        story.later(Duration::from_millis(1)),
        [Action::Signal(Signal::KILL)]
    );
    let killed = ExitStatus::from_raw(9);
    let stopped = Stopped {
        status: Some(killed),
        forced: true,
        took: GRACE,
    };
    assert_eq!(
        story.on(Event::Exited {
            status: killed,
            unlucky: false
        }),
        [Action::Report(Report::Stopped(stopped))]
    );
}

#[test]
fn a_kill_policy_kills_at_once_and_is_not_forced() {
    let mut story = Story::ready();
    assert_eq!(
        story.on(Event::Stop(StopPolicy::Kill)),
        [Action::Signal(Signal::KILL)]
    );
    assert!(matches!(
        &story.on(exited(0))[..],
        [Action::Report(Report::Stopped(Stopped {
            forced: false,
            ..
        }))]
    ));
}

#[test]
fn a_second_request_to_stop_does_not_extend_the_grace() {
    let mut story = Story::ready();
    story.on(Event::Stop(GRACEFUL));
    let deadline = story.lifecycle.deadline();
    story.now += Duration::from_secs(5);
    assert_eq!(story.on(Event::Stop(GRACEFUL)), []);
    assert_eq!(story.lifecycle.deadline(), deadline);
}

#[test]
fn kill_cuts_a_graceful_stop_short() {
    let mut story = Story::ready();
    story.on(Event::Stop(GRACEFUL));
    assert_eq!(story.on(Event::Kill), [Action::Signal(Signal::KILL)]);
    assert_eq!(story.on(Event::Kill), [], "once is enough");
}

#[test]
fn a_stop_during_the_spawn_is_kept_until_there_is_something_to_stop() {
    let mut story = Story::new();
    story.on(Event::Start);
    assert_eq!(story.on(Event::Stop(GRACEFUL)), []);
    assert!(story.lifecycle.is_ending());
    assert_eq!(story.on(Event::Kill), []);
    assert_eq!(
        story.on(Event::Stop(GRACEFUL)),
        [],
        "a kill is not taken back"
    );
    assert_eq!(story.on(Event::Spawned), [Action::Signal(Signal::KILL)]);
}

#[test]
fn a_failed_spawn_is_a_failure_unless_it_was_to_be_stopped_anyway() {
    let mut story = Story::new();
    story.on(Event::Start);
    let failure = Failure::Spawn("no such file".into());
    assert_eq!(
        story.on(Event::SpawnFailed("no such file".into())),
        [Action::Report(Report::Failed(failure))]
    );

    let mut story = Story::new();
    story.on(Event::Start);
    story.on(Event::Stop(GRACEFUL));
    assert!(matches!(
        story.on(Event::SpawnFailed("x".into()))[..],
        [Action::Report(Report::Stopped(_))]
    ));
}

#[test]
fn what_was_never_started_stops_without_a_signal_and_never_starts() {
    let mut story = Story::new();
    let stopped = Stopped {
        status: None,
        forced: false,
        took: Duration::ZERO,
    };
    assert_eq!(
        story.on(Event::Stop(GRACEFUL)),
        [Action::Report(Report::Stopped(stopped))]
    );
    assert_eq!(story.on(Event::Start), []);
}

#[test]
fn a_process_stuck_in_the_kernel_is_given_up_and_named() {
    let mut story = Story::ready();
    story.on(Event::Kill);
    assert_eq!(
        story.later(KILL_LIMIT),
        [Action::Report(Report::Failed(Failure::Unkillable))]
    );
    assert!(story.lifecycle.is_gone());
}

/// Anything that may happen, in any order.
fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Start),
        Just(Event::Spawned),
        Just(Event::SpawnFailed("no".into())),
        Just(Event::Probed(Readiness::Ready)),
        Just(not_yet("x")),
        any::<bool>().prop_map(|unlucky| Event::Exited {
            status: exit(1),
            unlucky
        }),
        Just(Event::Stop(GRACEFUL)),
        Just(Event::Stop(StopPolicy::Kill)),
        Just(Event::Kill),
        Just(Event::Tick),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_each_outcome_is_told_once_and_nothing_follows_the_end(
        events in prop::collection::vec((any_event(), 0u64..40_000), 0..60)
    ) {
        let mut story = Story::new();
        let (mut ready, mut stopped, mut failed) = (0, 0, 0);
        for (event, ms) in events {
            story.now += Duration::from_millis(ms);
            let was_gone = story.lifecycle.is_gone();
            let actions = story.on(event);
            prop_assert!(!was_gone || actions.is_empty(), "{actions:?} after the end");
            for action in actions {
                match action {
                    Action::Report(Report::Ready(_)) => ready += 1,
                    Action::Report(Report::Stopped(_)) => stopped += 1,
                    // Being killed may fail after a failure was told.
                    Action::Report(Report::Failed(Failure::Unkillable)) => {}
                    Action::Report(Report::Failed(_)) => failed += 1,
                    _ => {}
                }
            }
            prop_assert!(ready <= 1 && stopped + failed <= 1);
            if let Some(deadline) = story.lifecycle.deadline() {
                prop_assert!(deadline <= story.now + READY_WITHIN.max(GRACE), "a deadline beyond every limit");
            }
        }
    }
}
