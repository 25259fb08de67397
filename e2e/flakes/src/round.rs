//! One round: a run like any other, read from its results folder.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::read_json;

/// Where the tests of a run write down that they ran.
pub const PROOFS: &str = "executions.jsonl";

/// A line of [`PROOFS`]: written by the test itself, in its own process, before anything else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Proof {
    /// The test's path in the suite.
    pub test: String,
    /// Its process.
    pub pid: u32,
    /// Microseconds since 1970 at its beginning; with the process id, no two are alike.
    pub at: u64,
}

/// How a test ended in a round, as the pipeline saw it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Execution {
    /// The test's path in the suite.
    pub name: String,
    /// `passed`, `failed`, `timed-out`, or `skipped`.
    pub verdict: String,
    /// How long it took, in milliseconds.
    pub ms: Option<u64>,
    /// Why it did not pass.
    #[serde(default)]
    pub message: Option<String>,
}

impl Execution {
    /// Whether it did not keep its promise.
    pub fn is_red(&self) -> bool {
        matches!(self.verdict.as_str(), "failed" | "timed-out")
    }
}

/// One round.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its place, from 1.
    pub number: u64,
    /// Its seed.
    pub seed: u64,
    /// Its results folder.
    pub folder: Utf8PathBuf,
    /// What it ended with.
    pub exit_code: u8,
    /// Why it did not simply pass.
    pub cause: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The tests that ended, in the order of their ends.
    pub executions: Vec<Execution>,
    /// How many distinct proofs each test wrote.
    pub proofs: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(flatten)]
    rest: serde_json::Value,
}

#[derive(Deserialize)]
struct Run {
    cause: Option<String>,
}

impl Round {
    /// Reads the round `number` from its results `folder`.
    ///
    /// # Errors
    ///
    /// When the folder holds no events, or a line of the proofs is none.
    pub fn read(number: u64, seed: u64, folder: &Utf8Path, exit_code: u8, ms: u64) -> Result<Self> {
        let ended = events(folder)?.into_iter();
        let ended = ended.filter(|event| event.event == "test-ended");
        let executions = ended.filter_map(|event| serde_json::from_value(event.rest).ok());
        let run = read_json::<Run>(&folder.join("run.json")).ok();
        Ok(Self {
            number,
            seed,
            folder: folder.to_owned(),
            exit_code,
            cause: run.and_then(|run| run.cause),
            ms,
            executions: executions.collect(),
            proofs: proofs(&folder.join(PROOFS))?,
        })
    }

    /// Whether anything was wrong with it.
    pub fn is_red(&self) -> bool {
        self.exit_code != 0
    }

    /// The tests whose number of ends is not the number of proofs that they wrote.
    pub fn unproven(&self) -> Vec<&str> {
        let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
        for execution in &self.executions {
            *ends.entry(&execution.name).or_default() += 1;
        }
        let proven = |test: &str| self.proofs.get(test).copied().unwrap_or_default();
        ends.into_iter()
            .filter(|(test, ends)| proven(test) != *ends)
            .map(|(test, _)| test)
            .collect()
    }
}

/// The paths of the tests of the run in `folder`, in the order in which they began.
///
/// # Errors
///
/// When the folder holds no events.
pub fn begun(folder: &Utf8Path) -> Result<Vec<String>> {
    let begun = events(folder)?.into_iter();
    let begun = begun.filter(|event| event.event == "test-started");
    let name = |event: Event| event.rest["name"].as_str().map(str::to_owned);
    Ok(begun.filter_map(name).collect())
}

/// The last line of a run that was killed may not be whole.
fn events(folder: &Utf8Path) -> Result<Vec<Event>> {
    let file = folder.join("events.jsonl");
    let text = fs::read_to_string(&file).with_context(|| format!("failed to read {file}"))?;
    let lines = text.lines();
    Ok(lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

fn proofs(file: &Utf8Path) -> Result<BTreeMap<String, u64>> {
    // A round in which no test began has none.
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut all = text
        .lines()
        .map(serde_json::from_str::<Proof>)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{file} holds something else than proofs"))?;
    all.sort();
    all.dedup();
    let mut counts = BTreeMap::new();
    for proof in all {
        *counts.entry(proof.test).or_default() += 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(events: &str, proofs: &str) -> Result<Round> {
        let folder = tempfile::tempdir()?;
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
        fs::write(path.join("events.jsonl"), events)?;
        fs::write(path.join(PROOFS), proofs)?;
        Round::read(1, 7, path, 0, 10)
    }

    const ENDED: &str = r#"{"event":"test-ended","time":"t","name":"a","verdict":"passed","ms":5}"#;

    #[test]
    fn a_result_counts_only_with_the_proof_of_the_test_itself() {
        let proof = r#"{"test":"a","pid":1,"at":2}"#;
        let whole = round(&format!("{ENDED}\n"), &format!("{proof}\n")).expect("a round");
        assert_eq!(whole.unproven(), [""; 0]);
        assert_eq!(whole.executions[0].ms, Some(5));
        let cached = round(&format!("{ENDED}\n"), "").expect("a round");
        assert_eq!(cached.unproven(), ["a"]);
        let copied = round(
            &format!("{ENDED}\n{ENDED}\n"),
            &format!("{proof}\n{proof}\n"),
        );
        assert_eq!(copied.expect("a round").unproven(), ["a"]);
    }

    #[test]
    fn a_proof_that_is_none_is_refused() {
        assert!(round("", "{}\n").is_err());
    }
}
