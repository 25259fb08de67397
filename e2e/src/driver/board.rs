//! The state of every selected test, from what nextest says and what the test itself wrote.

use std::collections::HashMap;

use stigmer_e2e::harness::{TestRecord, Verdict};

use super::{
    nextest::{End, Message, TEST_LIMIT_SECONDS},
    selection::SuiteTest,
};
use crate::results::{TestOutcome, TestVerdict};

/// Longest part of a test's own output that becomes its message.
const PANIC_LINES: usize = 12;

/// The state of every selected test.
#[derive(Debug)]
pub struct Board {
    outcomes: Vec<TestOutcome>,
    index: HashMap<String, usize>,
}

impl Board {
    /// All of `tests`, in the order in which they start; none has begun.
    pub fn new(tests: &[SuiteTest], order: &[String]) -> Self {
        let by_path: HashMap<_, _> = tests.iter().map(|test| (test.path.as_str(), test)).collect();
        let in_order = order.iter().filter_map(|name| by_path.get(name.as_str()));
        let outcomes: Vec<_> = in_order.map(|test| TestOutcome::new(&test.path, &test.ids)).collect();
        let index = outcomes.iter().enumerate().map(|(index, outcome)| (outcome.name.clone(), index)).collect();
        Self { outcomes, index }
    }

    /// Takes in what nextest said; `record` reads what a test wrote, given its own name. Returns the
    /// test that changed, nothing for one that was not selected.
    pub fn take(&mut self, message: Message, record: impl FnOnce(&str) -> Option<TestRecord>) -> Option<&TestOutcome> {
        let (Message::Started { test } | Message::Ended { test, .. }) = &message;
        let outcome = &mut self.outcomes[*self.index.get(test)?];
        match message {
            Message::Started { .. } => outcome.verdict = TestVerdict::Running,
            Message::Ended { end, seconds, printed, .. } => {
                let record = record(outcome.function());
                (outcome.verdict, outcome.message) = judge(end, printed.as_deref(), record.as_ref());
                outcome.ms = Some((seconds * 1000.0) as u64);
                outcome.printed = printed;
                outcome.counters = record.map(|record| record.counters).unwrap_or_default();
            }
        }
        Some(outcome)
    }

    /// Every selected test.
    pub fn outcomes(&self) -> &[TestOutcome] {
        &self.outcomes
    }

    /// The own names of the tests that run now.
    pub fn running(&self) -> impl Iterator<Item = &str> {
        self.outcomes.iter().filter(|outcome| outcome.verdict == TestVerdict::Running).map(TestOutcome::function)
    }
}

/// The verdict on a test that ended, and why. Nextest knows how the process ended; the record knows
/// what the test was about. Where they disagree, the test failed.
fn judge(end: End, printed: Option<&str>, record: Option<&TestRecord>) -> (TestVerdict, Option<String>) {
    let own = record.map(|record| record.verdict);
    match (end, own) {
        (End::Passed, None | Some(Verdict::Passed)) => (TestVerdict::Passed, None),
        (End::Passed, Some(Verdict::Skipped)) => {
            (TestVerdict::Skipped, record.and_then(|record| record.skipped_because.clone()))
        }
        (End::Passed, Some(own @ (Verdict::Running | Verdict::Failed))) => {
            (TestVerdict::Failed, Some(format!("the process ended well, but test.json says {own:?}")))
        }
        (End::TimedOut, _) => (TestVerdict::TimedOut, Some(overdue(record))),
        (End::Failed, _) => {
            let told = record.and_then(failure_of).or_else(|| printed.and_then(panic_of));
            (TestVerdict::Failed, Some(told.unwrap_or_else(|| "it ended badly and did not say why".to_owned())))
        }
    }
}

fn overdue(record: Option<&TestRecord>) -> String {
    let mut text = format!("killed after {TEST_LIMIT_SECONDS} s");
    if let Some(record) = record {
        if let Some(phase) = record.phases.last() {
            text.push_str(&format!(", in its {}", phase.name));
        }
        if let Some(step) = record.steps.last() {
            text.push_str(&format!(", {:.1} s after its start at: {}", step.at_ms as f64 / 1000.0, step.text));
        }
    }
    text
}

fn failure_of(record: &TestRecord) -> Option<String> {
    let failure = record.failure.iter().map(|failure| match failure.location.as_str() {
        "" => failure.message.clone(),
        location => format!("{}\nat {location}", failure.message),
    });
    let findings = record.teardown_findings.iter().map(|finding| format!("teardown: {finding}"));
    let lines: Vec<_> = failure.chain(findings).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The message of the panic in a test's output, without its backtrace.
fn panic_of(printed: &str) -> Option<String> {
    let lines = printed.lines().skip_while(|line| !line.contains("panicked at"));
    let message = lines.take_while(|line| !line.starts_with("stack backtrace:") && !line.starts_with("note: run with"));
    let message: Vec<_> = message.take(PANIC_LINES).collect();
    (!message.is_empty()).then(|| message.join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(verdict: &str, more: serde_json::Value) -> TestRecord {
        let mut record = json!({
            "name": "m::app_01_x", "ids": ["APP-01"], "verdict": verdict, "started_at": "2026-11-24T08:00:00Z", "ms": null, "seed": 1,
            "rerun": "", "skipped_because": null, "failure": null, "teardown_findings": [], "phases": [], "steps": [], "budgets": [],
            "environments": [], "facts": {}, "logs": [],
            "counters": {"forced_kills": 0, "leftovers": 0, "unexpected_requests": 0, "unused_expectations": 0, "restarts": 2},
        });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(record).unwrap()
    }

    fn board() -> Board {
        let test = |path: &str| SuiteTest { path: path.into(), ids: vec![], real_model: false };
        Board::new(&[test("m::app_01_x"), test("b")], &["b".into(), "m::app_01_x".into()])
    }

    fn ended(end: End, printed: Option<&str>, record: Option<TestRecord>) -> TestOutcome {
        let message = Message::Ended { test: "m::app_01_x".into(), end, seconds: 1.25, printed: printed.map(str::to_owned) };
        board().take(message, |_| record).unwrap().clone()
    }

    #[test]
    fn tests_stand_in_the_order_in_which_they_start_and_running_ones_are_known() {
        let mut board = board();
        assert_eq!(board.outcomes().iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["b", "m::app_01_x"]);
        board.take(Message::Started { test: "m::app_01_x".into() }, |_| None);
        assert_eq!(board.running().collect::<Vec<_>>(), ["app_01_x"]);
        assert_eq!(board.take(Message::Started { test: "stranger".into() }, |_| None), None);
    }

    #[test]
    fn the_record_is_looked_up_by_the_tests_own_name() {
        let mut asked = String::new();
        let message = Message::Ended { test: "m::app_01_x".into(), end: End::Passed, seconds: 1.0, printed: None };
        board().take(message, |name| {
            asked = name.to_owned();
            None
        });
        assert_eq!(asked, "app_01_x");
    }

    #[test]
    fn a_skipped_test_is_not_a_passed_one() {
        let outcome = ended(End::Passed, None, Some(record("skipped", json!({"skipped_because": "no model"}))));
        assert_eq!((outcome.verdict, outcome.message.as_deref()), (TestVerdict::Skipped, Some("no model")));
    }

    #[test]
    fn a_process_that_ends_well_before_its_story_does_has_failed() {
        for verdict in ["running", "failed"] {
            assert_eq!(ended(End::Passed, None, Some(record(verdict, json!({})))).verdict, TestVerdict::Failed, "{verdict}");
        }
    }

    #[test]
    fn a_failure_is_told_in_the_storys_words_with_its_line_and_what_teardown_found() {
        let more = json!({"failure": {"location": "suite/apply.rs:12:9", "message": "awaited 2 rows, saw 1"}, "teardown_findings": ["a process is left"]});
        let outcome = ended(End::Failed, Some("noise"), Some(record("failed", more)));
        assert_eq!(outcome.message.as_deref(), Some("awaited 2 rows, saw 1\nat suite/apply.rs:12:9\nteardown: a process is left"));
        assert_eq!((outcome.ms, outcome.counters.restarts), (Some(1250), 2));
    }

    #[test]
    fn a_panic_without_a_record_is_told_without_its_backtrace() {
        let printed = "hello\n\nthread 'a' (1) panicked at suite.rs:4:5:\nassertion failed\n  left: 2\nstack backtrace:\n   0: x\n";
        let outcome = ended(End::Failed, Some(printed), None);
        assert_eq!(outcome.message.as_deref(), Some("thread 'a' (1) panicked at suite.rs:4:5:\nassertion failed\n  left: 2"));
    }

    #[test]
    fn a_time_out_tells_the_phase_and_the_step() {
        let more = json!({
            "phases": [{"name": "setup", "started_ms": 0, "ms": 5}, {"name": "body", "started_ms": 5, "ms": null}],
            "steps": [{"text": "waits for COMPLETED", "at_ms": 2500}],
        });
        let outcome = ended(End::TimedOut, None, Some(record("running", more)));
        assert_eq!(outcome.verdict, TestVerdict::TimedOut);
        assert_eq!(outcome.message.as_deref(), Some("killed after 120 s, in its body, 2.5 s after its start at: waits for COMPLETED"));
    }
}
