//! The state of every selected test, from what nextest says and what the test itself wrote.

use std::collections::HashMap;

use stigmer_e2e::harness::{TestRecord, Verdict};

use super::{
    nextest::{End, Message, kill_after},
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
        let by_path: HashMap<_, _> = tests
            .iter()
            .map(|test| (test.path.as_str(), test))
            .collect();
        let in_order = order.iter().filter_map(|name| by_path.get(name.as_str()));
        let outcomes: Vec<_> = in_order
            .map(|test| TestOutcome::new(&test.path, &test.ids))
            .collect();
        let index = outcomes
            .iter()
            .enumerate()
            .map(|(index, outcome)| (outcome.name.clone(), index))
            .collect();
        Self { outcomes, index }
    }

    /// Takes in what nextest said; `record` reads what a test wrote, given its own name. Returns the
    /// test that changed, nothing for one that was not selected.
    pub fn take(
        &mut self,
        message: Message,
        record: impl FnOnce(&str) -> Option<TestRecord>,
    ) -> Option<&TestOutcome> {
        let (Message::Started { test } | Message::Ended { test, .. }) = &message;
        let test = test.clone();
        let outcome = &mut self.outcomes[*self.index.get(&test)?];
        match message {
            Message::Started { .. } => outcome.verdict = TestVerdict::Running,
            Message::Ended {
                end,
                seconds,
                printed,
                ..
            } => {
                let record = record(outcome.function());
                (outcome.verdict, outcome.message) =
                    judge(&test, end, printed.as_deref(), record.as_ref());
                outcome.ms = Some((seconds * 1000.0) as u64);
                outcome.printed = printed;
                let failure = record.as_ref().and_then(|record| record.failure.as_ref());
                let location = failure.map(|failure| failure.location.clone());
                outcome.location = location.filter(|location| !location.is_empty());
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
        self.outcomes
            .iter()
            .filter(|outcome| outcome.verdict == TestVerdict::Running)
            .map(TestOutcome::function)
    }
}

/// The verdict on a test that ended, and why. Nextest knows how the process ended; the record knows
/// what the test was about. Where they disagree, the test failed.
fn judge(
    test: &str,
    end: End,
    printed: Option<&str>,
    record: Option<&TestRecord>,
) -> (TestVerdict, Option<String>) {
    let own = record.map(|record| record.verdict);
    match (end, own) {
        (End::Passed, None | Some(Verdict::Passed)) => (TestVerdict::Passed, None),
        (End::Passed, Some(Verdict::Skipped)) => (
            TestVerdict::Skipped,
            record.and_then(|record| record.skipped_because.clone()),
        ),
        (End::Passed, Some(own @ (Verdict::Running | Verdict::Failed))) => (
            TestVerdict::Failed,
            Some(format!(
                "the process ended well, but test.json says {own:?}"
            )),
        ),
        (End::TimedOut, _) => (TestVerdict::TimedOut, Some(overdue(test, record))),
        (End::Failed, _) => {
            let told = record
                .and_then(failure_of)
                .or_else(|| printed.and_then(panic_of));
            (
                TestVerdict::Failed,
                Some(told.unwrap_or_else(|| "it ended badly and did not say why".to_owned())),
            )
        }
    }
}

fn overdue(test: &str, record: Option<&TestRecord>) -> String {
    let mut text = format!("killed after {} s", kill_after(test));
    if let Some(record) = record {
        if let Some(phase) = record.phases.last() {
            text.push_str(&format!(", in its {}", phase.name));
        }
        if let Some(step) = record.steps.last() {
            text.push_str(&format!(
                ", {:.1} s after its start at: {}",
                step.at_ms as f64 / 1000.0,
                step.text
            ));
        }
    }
    text
}

fn failure_of(record: &TestRecord) -> Option<String> {
    let failure = record
        .failure
        .iter()
        .map(|failure| match failure.location.as_str() {
            "" => failure.message.clone(),
            location => format!("{}\nat {location}", failure.message),
        });
    let findings = record
        .teardown_findings
        .iter()
        .map(|finding| format!("teardown: {finding}"));
    let lines: Vec<_> = failure.chain(findings).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The message of the panic in a test's output, without its backtrace.
fn panic_of(printed: &str) -> Option<String> {
    let lines = printed
        .lines()
        .skip_while(|line| !line.contains("panicked at"));
    let message = lines.take_while(|line| {
        !line.starts_with("stack backtrace:") && !line.starts_with("note: run with")
    });
    let message: Vec<_> = message.take(PANIC_LINES).collect();
    (!message.is_empty()).then(|| message.join("\n"))
}

#[cfg(test)]
mod tests;
