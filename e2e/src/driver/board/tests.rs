use serde_json::json;

use super::*;

fn record(verdict: &str, more: serde_json::Value) -> TestRecord {
    let mut record = json!({
        "name": "m::app_01_x", "ids": ["APP-01"], "verdict": verdict, "started_at": "2026-11-24T08:00:00Z", "ms": null, "seed": 1,
        "rerun": "", "skipped_because": null, "failure": null, "teardown_findings": [], "phases": [], "steps": [], "budgets": [],
        "environments": [], "facts": {}, "logs": [],
        "counters": {"forced_kills": 0, "leftovers": 0, "unexpected_requests": 0, "unused_expectations": 0, "restarts": 2},
    });
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

fn board() -> Board {
    let test = |path: &str| SuiteTest {
        tier: stigmer_e2e_plan::Tier::of(path),
        path: path.into(),
        ids: vec![],
        real_model: false,
    };
    Board::new(
        &[test("m::app_01_x"), test("b")],
        &["b".into(), "m::app_01_x".into()],
    )
}

fn ended(end: End, printed: Option<&str>, record: Option<TestRecord>) -> TestOutcome {
    let message = Message::Ended {
        test: "m::app_01_x".into(),
        end,
        seconds: 1.25,
        printed: printed.map(str::to_owned),
    };
    board().take(message, |_| record).unwrap().clone()
}

#[test]
fn tests_stand_in_the_order_in_which_they_start_and_running_ones_are_known() {
    let mut board = board();
    assert_eq!(
        board
            .outcomes()
            .iter()
            .map(|o| o.name.as_str())
            .collect::<Vec<_>>(),
        ["b", "m::app_01_x"]
    );
    board.take(
        Message::Started {
            test: "m::app_01_x".into(),
        },
        |_| None,
    );
    assert_eq!(board.running().collect::<Vec<_>>(), ["app_01_x"]);
    assert_eq!(
        board.take(
            Message::Started {
                test: "stranger".into()
            },
            |_| None
        ),
        None
    );
}

#[test]
fn the_record_is_looked_up_by_the_tests_own_name() {
    let mut asked = String::new();
    let message = Message::Ended {
        test: "m::app_01_x".into(),
        end: End::Passed,
        seconds: 1.0,
        printed: None,
    };
    board().take(message, |name| {
        asked = name.to_owned();
        None
    });
    assert_eq!(asked, "app_01_x");
}

#[test]
fn a_skipped_test_is_not_a_passed_one() {
    let outcome = ended(
        End::Passed,
        None,
        Some(record("skipped", json!({"skipped_because": "no model"}))),
    );
    assert_eq!(
        (outcome.verdict, outcome.message.as_deref()),
        (TestVerdict::Skipped, Some("no model"))
    );
}

#[test]
fn a_process_that_ends_well_before_its_story_does_has_failed() {
    for verdict in ["running", "failed"] {
        assert_eq!(
            ended(End::Passed, None, Some(record(verdict, json!({})))).verdict,
            TestVerdict::Failed,
            "{verdict}"
        );
    }
}

#[test]
fn a_failure_is_told_in_the_storys_words_with_its_line_and_what_teardown_found() {
    let more = json!({"failure": {"location": "suite/apply.rs:12:9", "message": "awaited 2 rows, saw 1"}, "teardown_findings": ["a process is left"]});
    let outcome = ended(End::Failed, Some("noise"), Some(record("failed", more)));
    assert_eq!(
        outcome.message.as_deref(),
        Some("awaited 2 rows, saw 1\nat suite/apply.rs:12:9\nteardown: a process is left")
    );
    assert_eq!((outcome.ms, outcome.counters.restarts), (Some(1250), 2));
}

#[test]
fn a_panic_without_a_record_is_told_without_its_backtrace() {
    let printed = "hello\n\nthread 'a' (1) panicked at suite.rs:4:5:\nassertion failed\n  left: 2\nstack backtrace:\n   0: x\n";
    let outcome = ended(End::Failed, Some(printed), None);
    assert_eq!(
        outcome.message.as_deref(),
        Some("thread 'a' (1) panicked at suite.rs:4:5:\nassertion failed\n  left: 2")
    );
}

#[test]
fn a_time_out_tells_the_phase_and_the_step() {
    let more = json!({
        "phases": [{"name": "setup", "started_ms": 0, "ms": 5}, {"name": "body", "started_ms": 5, "ms": null}],
        "steps": [{"text": "waits for COMPLETED", "at_ms": 2500}],
    });
    let outcome = ended(End::TimedOut, None, Some(record("running", more)));
    assert_eq!(outcome.verdict, TestVerdict::TimedOut);
    assert_eq!(
        outcome.message.as_deref(),
        Some("killed after 150 s, in its body, 2.5 s after its start at: waits for COMPLETED")
    );
}
