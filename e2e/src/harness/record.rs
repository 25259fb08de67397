//! `test.json`: what one test did, written whole at every change so that an aborted test has one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::write_atomically;

use super::{ExpectedError, benchmark::Benchmark, budget::Budget, secrets::Secrets};

/// How a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It has not ended; on disk after a run: it was killed.
    Running,
    /// It kept its promise.
    Passed,
    /// It did not.
    Failed,
    /// It could not be run, and that was allowed.
    Skipped,
}

/// A stretch of a test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhaseTimes {
    /// `setup`, `body`, or `teardown`.
    pub name: String,
    /// Milliseconds from the start of the test.
    pub started_ms: u64,
    /// Milliseconds it took; absent while it goes on.
    pub ms: Option<u64>,
}

/// One sentence of the story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What was begun.
    pub text: String,
    /// Milliseconds from the start of the test.
    pub at_ms: u64,
}

/// How much of a limit was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BudgetUse {
    /// The limit's name in the acceptance list.
    pub name: String,
    /// What took the time.
    pub what: String,
    /// When it began, in milliseconds from the start of the test.
    #[serde(default)]
    pub at_ms: u64,
    /// The limit in milliseconds.
    pub limit_ms: u64,
    /// The time used in milliseconds.
    pub used_ms: u64,
    /// The time used in per cent of the limit.
    pub percent: f64,
}

/// One process of an environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartRecord {
    /// Its name, such as `stigmer-server`.
    pub component: String,
    /// Its process id.
    pub pid: u32,
    /// Where it listens.
    pub address: Option<String>,
    /// What it says its version is.
    pub version: String,
    /// Its build id: a hash of its content.
    pub build: String,
    /// The file that was started.
    pub program: Utf8PathBuf,
}

/// One private environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Its folder.
    pub directory: Utf8PathBuf,
    /// Its Temporal namespace.
    pub namespace: String,
    /// Milliseconds from the first spawn to doing work.
    pub start_ms: u64,
    /// Milliseconds that a bare workflow with one activity took, right after the start of a whole
    /// environment.
    #[serde(default)]
    pub bare_workflow_ms: Option<u64>,
    /// Milliseconds from the polite signal to the last exit; absent while it runs.
    pub stop_ms: Option<u64>,
    /// Its processes.
    pub parts: Vec<PartRecord>,
}

/// Why a test failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailureRecord {
    /// The line of the story, `file:line:column`.
    pub location: String,
    /// What happened; for a time-out also what was awaited, the last value, and the history.
    pub message: String,
}

/// What can be done with a fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Its program describes what the manifest says.
    Synthesise,
    /// What it describes is stored.
    Apply,
    /// It was run to the end that it is made for.
    Run,
}

/// What must be zero, and what is worth counting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Processes that had to be killed.
    pub forced_kills: usize,
    /// Processes found after everything was stopped.
    pub leftovers: usize,
    /// Requests to an edge that no test expected.
    pub unexpected_requests: usize,
    /// Expectations that nothing used.
    pub unused_expectations: usize,
    /// Parts that the test restarted on purpose.
    pub restarts: usize,
}

/// The last lines of a log, kept for failed tests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogTail {
    /// Which process.
    pub component: String,
    /// The whole log.
    pub path: Utf8PathBuf,
    /// Its last lines.
    pub lines: Vec<String>,
}

/// The whole of `test.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestRecord {
    /// The test's path in the suite, such as `apply::app_01_…`.
    pub name: String,
    /// The scenarios of the acceptance list that it proves.
    pub ids: Vec<String>,
    /// How it stands.
    pub verdict: Verdict,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// How long it took, in milliseconds; absent while it runs.
    pub ms: Option<u64>,
    /// The run's seed.
    pub seed: u64,
    /// The command that runs this test again.
    pub rerun: String,
    /// Why it was skipped.
    pub skipped_because: Option<String>,
    /// Why it failed.
    pub failure: Option<FailureRecord>,
    /// What teardown found, each of it a failure.
    pub teardown_findings: Vec<String>,
    /// What each program of the stack says its version and build (a hash of its content) are.
    #[serde(default)]
    pub binaries: BTreeMap<String, String>,
    /// Setup, body, and teardown.
    pub phases: Vec<PhaseTimes>,
    /// The story.
    pub steps: Vec<Step>,
    /// The limits that were used.
    pub budgets: Vec<BudgetUse>,
    /// The private environments.
    pub environments: Vec<EnvironmentRecord>,
    /// What must be zero, and what is worth counting.
    pub counters: Counters,
    /// What was done with which fixture, by its id.
    #[serde(default)]
    pub fixtures: BTreeMap<String, BTreeSet<Stage>>,
    /// The lines of level ERROR that the test provokes, each with its reason.
    #[serde(default)]
    pub expected_errors: Vec<ExpectedError>,
    /// What it measured for `cargo xtask bench`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub benchmarks: Vec<Benchmark>,
    /// Facts worth keeping, such as a model's answer.
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// The ends of the logs, when it failed.
    pub logs: Vec<LogTail>,
}

impl TestRecord {
    /// The record of a test that begins now.
    pub(super) fn new(name: &str, seed: u64, rerun: String) -> Self {
        let function = function_name(name);
        Self {
            name: name.to_owned(),
            ids: ids_of(function),
            verdict: Verdict::Running,
            started_at: stigmer_api::time::rfc3339_now(),
            ms: None,
            seed,
            rerun,
            skipped_because: None,
            failure: None,
            teardown_findings: Vec::new(),
            binaries: BTreeMap::new(),
            phases: Vec::new(),
            steps: Vec::new(),
            budgets: Vec::new(),
            environments: Vec::new(),
            counters: Counters::default(),
            fixtures: BTreeMap::new(),
            expected_errors: Vec::new(),
            benchmarks: Vec::new(),
            facts: serde_json::Map::new(),
            logs: Vec::new(),
        }
    }

    pub(super) fn spend(&mut self, budget: Budget, what: &str, began: Duration, used: Duration) {
        self.budgets.push(BudgetUse {
            name: budget.name.to_owned(),
            what: what.to_owned(),
            at_ms: millis(began),
            limit_ms: millis(budget.limit),
            used_ms: millis(used),
            percent: (used.as_secs_f64() / budget.limit.as_secs_f64() * 1000.0).round() / 10.0,
        });
    }

    /// Ends the phase that goes on and begins `name`, unless it is empty.
    pub(super) fn enter_phase(&mut self, name: &str, at: Duration) {
        if let Some(open) = self.phases.last_mut().filter(|phase| phase.ms.is_none()) {
            open.ms = Some(millis(at) - open.started_ms);
        }
        if !name.is_empty() {
            self.phases.push(PhaseTimes {
                name: name.to_owned(),
                started_ms: millis(at),
                ms: None,
            });
        }
    }

    /// Writes the record into `folder`, without `secrets`. A full disk must not turn a verdict, so it is
    /// only logged.
    pub(super) fn save(&self, folder: &Utf8Path, secrets: &Secrets) {
        // A struct of texts and numbers always serialises.
        let text = serde_json::to_string_pretty(self).expect("a record is JSON");
        let text = secrets.mask(&text);
        if let Err(error) = write_atomically(&folder.join("test.json"), text.as_bytes()) {
            eprintln!("warning: {error:#}");
        }
    }
}

/// The last part of a test's path.
pub(super) fn function_name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// The scenario ids at the beginning of a test's name: `app_01_app_02_lists…` is `APP-01`, `APP-02`.
pub fn ids_of(function: &str) -> Vec<String> {
    let mut words = function.split('_').peekable();
    let mut ids = Vec::new();
    while let Some(area) = words.next() {
        let is_area = area.len() == 3 && area.bytes().all(|b| b.is_ascii_lowercase());
        let number = words
            .peek()
            .copied()
            .filter(|word| is_scenario_number(word));
        let (true, Some(number)) = (is_area, number) else {
            break;
        };
        ids.push(format!("{}-{number}", area.to_uppercase()));
        words.next();
    }
    ids
}

/// Two digits, perhaps a letter: `01`, `14b`.
fn is_scenario_number(word: &str) -> bool {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    digits.len() == 2 && word.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_at_the_beginning_of_a_name() {
        assert_eq!(
            ids_of("app_01_app_02_fixture_01_lists_both_agents"),
            ["APP-01", "APP-02"]
        );
        assert_eq!(ids_of("smk_08_one_path_in_under_60_s"), ["SMK-08"]);
        assert_eq!(ids_of("fix_14b_no_marker_is_found"), ["FIX-14b"]);
        assert!(ids_of("a_helper_01").is_empty());
    }

    #[test]
    fn phases_follow_each_other() {
        let mut record = TestRecord::new("apply::app_01_x", 7, String::new());
        record.enter_phase("setup", Duration::ZERO);
        record.enter_phase("body", Duration::from_millis(30));
        record.enter_phase("", Duration::from_millis(50));
        let phases = record
            .phases
            .iter()
            .map(|p| (p.name.as_str(), p.started_ms, p.ms))
            .collect::<Vec<_>>();
        assert_eq!(phases, [("setup", 0, Some(30)), ("body", 30, Some(20))]);
    }
}
