use stigmer_e2e::supervise::Failure;
use stigmer_e2e_hermetic::Sender;
use stigmer_e2e_plan::failure;

use super::*;

const GREEN: Tally = Tally {
    passed: 3,
    failed: 0,
    timed_out: 0,
    skipped: 1,
    aborted: 0,
    not_run: 0,
};

fn concluded(change: impl FnOnce(&mut Facts<'_>)) -> (RunVerdict, ExitCode, Option<String>) {
    concluded_after(&Ending::Completed, change)
}

fn concluded_after(
    ending: &Ending,
    change: impl FnOnce(&mut Facts<'_>),
) -> (RunVerdict, ExitCode, Option<String>) {
    let mut facts = Facts {
        ending,
        tally: GREEN,
        gaps: Gaps::default(),
        forced_kills: 0,
        leftovers: Some(0),
        attempts: &[],
    };
    change(&mut facts);
    conclude(&facts)
}

#[test]
fn a_clean_run_passes_without_a_cause() {
    assert_eq!(
        concluded(|_| {}),
        (RunVerdict::Passed, ExitCode::Success, None)
    );
}

#[test]
fn a_failed_test_outweighs_what_was_left_behind() {
    let (verdict, code, cause) = concluded(|facts| {
        facts.tally.failed = 1;
        facts.leftovers = Some(2);
    });
    assert_eq!(
        (verdict, code, cause.as_deref()),
        (
            RunVerdict::Failed,
            ExitCode::TestsFailed,
            Some("tests failed: 1")
        )
    );
}

#[test]
fn an_attempt_to_leave_turns_a_green_run_red_and_names_who_and_where_to() {
    let attempt = Attempt {
        protocol: "udp".into(),
        to: "192.0.2.53:53".into(),
        name: Some("updates.test".into()),
        by: Sender {
            program: Some("tool --serve".into()),
            pid: Some(7),
            test: Some("app_01".into()),
        },
        count: 1,
    };
    let attempts = [attempt.clone(), attempt];
    let ending = Ending::Completed;
    let facts = Facts {
        ending: &ending,
        tally: GREEN,
        gaps: Gaps::default(),
        forced_kills: 0,
        leftovers: Some(0),
        attempts: &attempts,
    };
    let cause = "tried to reach another machine: tool --serve (of app_01) → udp 192.0.2.53:53 for \
                 updates.test; and 1 more (see run.json)";
    assert_eq!(
        conclude(&facts),
        (
            RunVerdict::TriedToLeave,
            ExitCode::TriedToLeave,
            Some(cause.to_owned())
        )
    );
}

#[test]
fn leftovers_and_forced_kills_turn_a_green_run_red() {
    assert_eq!(
        concluded(|facts| facts.leftovers = Some(2)).1,
        ExitCode::Leftovers
    );
    assert_eq!(
        concluded(|facts| facts.forced_kills = 1).1,
        ExitCode::ServiceFailed
    );
}

#[test]
fn skipped_tests_are_no_executed_tests() {
    let skipped = Tally {
        skipped: 4,
        ..Tally::default()
    };
    assert_eq!(
        concluded(|facts| facts.tally = skipped).1,
        ExitCode::NothingRan
    );
}

#[test]
fn a_test_that_never_ended_is_no_success() {
    assert_eq!(
        concluded(|facts| facts.tally.aborted = 1).1,
        ExitCode::TestsFailed
    );
    assert_eq!(
        concluded(|facts| facts.tally.not_run = 1).1,
        ExitCode::TestsFailed
    );
}

#[test]
fn an_unknown_scenario_id_fails_the_run() {
    assert_eq!(
        concluded(|facts| facts.gaps.unknown_ids = 1).1,
        ExitCode::TestsFailed
    );
}

#[test]
fn a_fixture_that_no_test_took_through_everything_fails_the_run() {
    let (verdict, code, cause) =
        concluded(|facts| facts.gaps.unproven_fixtures = vec!["06 (run)".to_owned()]);
    assert_eq!((verdict, code), (RunVerdict::Failed, ExitCode::TestsFailed));
    assert_eq!(
        cause.as_deref(),
        Some("fixtures that no test took through everything: 06 (run) (see coverage.md)")
    );
}

#[test]
fn a_dead_service_is_the_verdict_whatever_the_tests_said() {
    let error = ServiceError {
        service: "temporal".into(),
        failure: Failure::Unkillable,
        log: "/l".into(),
        tail: vec!["x".into()],
    };
    let ending = Ending::Service(error);
    let (verdict, code, cause) = concluded_after(&ending, |facts| facts.tally.failed = 3);
    assert_eq!(
        (verdict, code),
        (RunVerdict::ServiceFailed, ExitCode::ServiceFailed)
    );
    assert!(cause.is_some_and(|cause| cause.starts_with("temporal") && !cause.contains('\n')));
}

#[test]
fn an_interrupted_run_is_neither_green_nor_red() {
    assert_eq!(
        concluded_after(&Ending::Interrupted, |_| {}).1,
        ExitCode::Interrupted
    );
}

#[test]
fn an_expected_failure_keeps_its_code_and_any_other_is_internal() {
    let ending = Ending::Error(failure(
        ExitCode::ResultsUnwritable,
        "disk full",
        "free some",
    ));
    assert_eq!(
        concluded_after(&ending, |_| {}).1,
        ExitCode::ResultsUnwritable
    );
    let ending = Ending::Error(anyhow::anyhow!("a defect"));
    assert_eq!(concluded_after(&ending, |_| {}).1, ExitCode::Internal);
}

#[test]
fn a_suite_that_does_not_end_is_red_whatever_passed_and_names_what_was_going_on() {
    let overdue = Ending::Overdue {
        limit: Duration::from_secs(900),
        running: vec!["app_01_x".into(), "run_02_y".into()],
    };
    assert_eq!(
        concluded_after(&overdue, |_| {}),
        (
            RunVerdict::Failed,
            ExitCode::TestsFailed,
            Some("the tests did not end within 900s; still going on: app_01_x, run_02_y".into())
        )
    );
}

#[test]
fn a_service_that_finds_every_port_taken_is_told_apart_from_one_that_dies() {
    let error = |failure: Failure, last: &str| ServiceError {
        service: "temporal".into(),
        failure,
        log: "/r/temporal.log".into(),
        tail: vec![last.to_owned()],
    };
    let dies = || Failure::DiedStarting {
        status: std::process::ExitStatus::default(),
        last: "connection refused".into(),
    };
    let taken = "listen tcp 127.0.0.1:1: bind: address already in use";
    let code = |failure, last: &str| code_of_service(&error(failure, last));
    assert_eq!(code(dies(), taken), ExitCode::PortTaken);
    assert_eq!(code(dies(), "out of memory"), ExitCode::ServiceFailed);
    let later = Failure::Died {
        status: std::process::ExitStatus::default(),
    };
    assert_eq!(code(later, taken), ExitCode::ServiceFailed);
}
