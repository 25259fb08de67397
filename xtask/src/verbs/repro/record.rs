//! What a results folder says about a run: enough to make it happen again.

use std::fmt;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, de::IgnoredAny};
use stigmer_e2e_plan::{
    ExitCode, Hermetic, LlmChoice, Pin, Runtime, Selection, ServerAddress, failure, read_json,
};

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
    /// The tests in the order in which they began; none when the run ended before.
    #[serde(default)]
    pub order: Vec<String>,
    /// In what the parts of the stack ran.
    #[serde(default)]
    pub runtime: Runtime,
    /// The server of somebody else that was asked.
    #[serde(default)]
    pub server: Option<ServerAddress>,
    /// Whether the run was cut off from other machines.
    #[serde(default)]
    hermetic: Option<IgnoredAny>,
    /// What was tested; none when the run ended before it was known.
    #[serde(default)]
    pub binaries: Vec<Binary>,
    /// The machine; nothing when the run ended before it was known.
    #[serde(default)]
    pub host: Option<Host>,
}

/// A program of the run.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Binary {
    /// What it is for, such as `server`.
    pub name: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

/// A machine.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Host {
    pub cores: usize,
    #[serde(default)]
    pub memory_mb: Option<u64>,
    pub os: String,
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

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} cores", self.os, self.cores)?;
        match self.memory_mb {
            Some(memory) => write!(f, " and {memory} MB"),
            None => Ok(()),
        }
    }
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

impl Recorded {
    /// The paths of `tests` in the order in which the run began them; those that are not in it come last.
    pub fn in_order(&self, tests: &[Outcome]) -> Vec<String> {
        let place = |name: &String| self.order.iter().position(|it| it == name);
        let mut names: Vec<String> = tests.iter().map(|test| test.name.clone()).collect();
        names.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
        names
    }

    /// How far the run is to be cut off from other machines: as far as this machine can, if it was.
    pub fn hermetic(&self) -> Hermetic {
        match self.hermetic {
            Some(_) => Hermetic::WherePossible,
            None => Hermetic::Off,
        }
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

    /// What tells this failure from another one: its place in the story, or the words of what was found
    /// after the test, without what differs from run to run (numbers, paths).
    pub fn symptom(&self) -> String {
        if let Some(failure) = &self.failure {
            return failure.location.clone();
        }
        let finding = self.teardown_findings.first();
        let finding = finding.map(String::as_str).unwrap_or_default();
        let first = finding.lines().next().unwrap_or_default();
        let is_stable =
            |word: &&str| !word.contains(|c: char| c.is_ascii_digit() || c == '/' || c == '\\');
        let words: Vec<&str> = first.split_whitespace().filter(is_stable).collect();
        words.join(" ")
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
