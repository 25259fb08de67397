//! What a results folder says about a run: enough to make it happen again.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use stigmer_e2e_plan::{ExitCode, LlmChoice, Pin, Selection, failure, read_json};

/// `run.json`, as far as a run depends on it.
#[derive(Debug, Deserialize)]
pub struct Recorded {
    pub run_id: String,
    pub seed: u64,
    pub jobs: usize,
    pub selection: Selection,
    pub llm: LlmChoice,
    pub pins: Vec<Pin>,
    /// Nothing when the run ended before it was asked for.
    pub git: Option<GitState>,
}

#[derive(Debug, Deserialize)]
pub struct GitState {
    pub revision: Option<String>,
    pub dirty: bool,
}

/// `test.json`, as far as it says how a test ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Outcome {
    /// The test's path in the suite.
    pub name: String,
    /// `passed`, `failed`, `skipped`, or `running` for one that was cut off.
    pub verdict: String,
    pub failure: Option<Failure>,
    #[serde(default)]
    pub teardown_findings: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Failure {
    /// `file:line:column`.
    pub location: String,
    pub message: String,
}

impl Recorded {
    /// Reads the run in `results`, which may have been copied from another machine.
    pub fn read(results: &Utf8Path) -> Result<Self> {
        read_json(&results.join("run.json")).map_err(|error| {
            let cause = format!("{results} is no results folder: {error:#}");
            failure(ExitCode::Usage, cause, "name the folder of a run")
        })
    }
}

impl Outcome {
    /// How the tests in `results` ended, in the order of their names. One whose record cannot be read
    /// had not begun.
    pub fn all(results: &Utf8Path) -> Vec<Self> {
        let folders = results.join("tests").read_dir_utf8().into_iter().flatten();
        let mut folders: Vec<Utf8PathBuf> =
            folders.flatten().map(|folder| folder.into_path()).collect();
        folders.sort();
        let read = |folder: &Utf8PathBuf| read_json(&folder.join("test.json")).ok();
        folders.iter().filter_map(read).collect()
    }

    /// The last part of its path, which selects it.
    pub fn function(&self) -> &str {
        self.name.rsplit("::").next().unwrap_or(&self.name)
    }

    /// Whether it did not keep its promise; a test that was cut off did not.
    pub fn is_red(&self) -> bool {
        matches!(self.verdict.as_str(), "failed" | "running")
    }

    /// Where it failed, and how that reads, on one line.
    pub fn in_short(&self) -> String {
        let line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        match (&self.failure, self.teardown_findings.first()) {
            (Some(failure), _) => format!("{}: {}", failure.location, line(&failure.message)),
            (None, Some(finding)) => format!("after the test: {}", line(finding)),
            (None, None) => self.verdict.clone(),
        }
    }
}
