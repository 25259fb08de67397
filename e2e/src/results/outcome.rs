//! How each test of a run ended.

use serde::{Deserialize, Serialize};
use stigmer_e2e::harness::Counters;

/// How a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestVerdict {
    /// It has not begun; after the run: it never did.
    NotRun,
    /// It has not ended; after the run: the run was aborted.
    Running,
    /// It kept its promise.
    Passed,
    /// It did not.
    Failed,
    /// It was killed because its time was up.
    TimedOut,
    /// It could not be run, and that was allowed.
    Skipped,
}

/// One selected test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOutcome {
    /// Its path in the suite.
    pub name: String,
    /// The scenarios it proves.
    pub ids: Vec<String>,
    /// How it stands.
    pub verdict: TestVerdict,
    /// How long it took, in milliseconds.
    pub ms: Option<u64>,
    /// Why it failed or was skipped.
    pub message: Option<String>,
    /// The line of the story at which it failed, `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What it printed, when it failed.
    #[serde(skip)]
    pub printed: Option<String>,
    /// What it counted.
    pub counters: Counters,
}

impl TestOutcome {
    /// A test that has not begun.
    pub fn new(name: &str, ids: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            ids: ids.to_vec(),
            verdict: TestVerdict::NotRun,
            ms: None,
            message: None,
            location: None,
            printed: None,
            counters: Counters::default(),
        }
    }

    /// The test's own name: the last part of its path, which also names its folder.
    pub fn function(&self) -> &str {
        function(&self.name)
    }

    /// Whether it ran to a bad end.
    pub fn is_red(&self) -> bool {
        matches!(self.verdict, TestVerdict::Failed | TestVerdict::TimedOut)
    }
}

/// The last part of a test's path.
pub fn function(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// How many tests stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Kept their promise.
    pub passed: usize,
    /// Did not, or ran out of time.
    pub failed: usize,
    /// Of those that failed: ran out of time.
    pub timed_out: usize,
    /// Could not be run, and that was allowed.
    pub skipped: usize,
    /// Had begun and not ended when the run ended.
    pub aborted: usize,
    /// Never began.
    pub not_run: usize,
}

impl Tally {
    /// Counts `outcomes`.
    pub fn of(outcomes: &[TestOutcome]) -> Self {
        let count = |verdict| {
            outcomes
                .iter()
                .filter(|outcome| outcome.verdict == verdict)
                .count()
        };
        let timed_out = count(TestVerdict::TimedOut);
        Self {
            passed: count(TestVerdict::Passed),
            failed: count(TestVerdict::Failed) + timed_out,
            timed_out,
            skipped: count(TestVerdict::Skipped),
            aborted: count(TestVerdict::Running),
            not_run: count(TestVerdict::NotRun),
        }
    }

    /// How many tests said something about the stack: a skipped one does not.
    pub fn executed(&self) -> usize {
        self.passed + self.failed
    }
}
