//! What a results folder has of benchmarks.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use stigmer_e2e::harness::{Anchor, Benchmark, TestRecord};
use stigmer_e2e_plan::{ExitCode, failure, read_json};

/// The benchmark that a run of the whole suite is.
const SUITE: &str = "suite wall time";

/// One benchmark, with or without something bare beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Its name.
    pub name: String,
    /// What was timed.
    pub what: String,
    /// Milliseconds of each round.
    pub ms: Vec<f64>,
    /// What it is put beside.
    pub anchor: Option<Anchor>,
}

impl From<Benchmark> for Measurement {
    fn from(benchmark: Benchmark) -> Self {
        Self {
            name: benchmark.name,
            what: benchmark.what,
            ms: benchmark.ms,
            anchor: Some(benchmark.anchor),
        }
    }
}

/// Where numbers come from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The run.
    pub run_id: String,
    /// When it began.
    pub started_at: String,
    /// The machine, in a few words.
    pub host: String,
}

impl Origin {
    /// The run in `results`.
    ///
    /// # Errors
    ///
    /// When that is no results folder.
    pub fn of(results: &Utf8Path) -> Result<Self> {
        let run = run_in(results)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            run_id: text(&run["run_id"]),
            started_at: text(&run["started_at"]),
            host: host(&run["host"]),
        })
    }
}

/// Everything that was measured, and where.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Where.
    pub origin: Origin,
    /// The benchmarks by name.
    pub benchmarks: Vec<Measurement>,
}

impl Measured {
    /// Reads the run in `results`, and from `suite` how long the whole suite took; by default from the
    /// last run of it that passed, beside `results`.
    ///
    /// # Errors
    ///
    /// When one of the two is no results folder.
    pub fn of(results: &Utf8Path, suite: Option<&Utf8Path>) -> Result<Self> {
        let origin = Origin::of(results)?;
        let mut benchmarks: Vec<Measurement> = records(results)
            .flat_map(|record| record.benchmarks)
            .map(Measurement::from)
            .collect();
        benchmarks.extend(match suite {
            Some(suite) => suite_time(&run_in(suite)?),
            None => last_suite_time(results),
        });
        benchmarks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { origin, benchmarks })
    }
}

fn run_in(results: &Utf8Path) -> Result<Value> {
    read_json(&results.join("run.json")).map_err(|error| {
        let cause = format!("{results} is no results folder: {error:#}");
        failure(ExitCode::Usage, cause, "name the folder of a run")
    })
}

/// The folders of the tests of a run.
pub fn test_folders(results: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
    let folders = results.join("tests").read_dir_utf8();
    let entries = folders.into_iter().flatten().flatten();
    entries.map(|entry| entry.path().to_owned())
}

fn records(results: &Utf8Path) -> impl Iterator<Item = TestRecord> {
    test_folders(results).filter_map(|folder| read_json(&folder.join("test.json")).ok())
}

fn last_suite_time(results: &Utf8Path) -> Option<Measurement> {
    let runs = results.parent()?.read_dir_utf8().ok()?.flatten();
    let mut files: Vec<_> = runs.map(|run| run.path().join("run.json")).collect();
    // Run ids begin with the time.
    files.sort();
    let runs = files.iter().rev().filter_map(|file| read_json(file).ok());
    runs.filter_map(|run: Value| suite_time(&run)).next()
}

/// The test phase of a run of the whole suite that passed.
fn suite_time(run: &Value) -> Option<Measurement> {
    let selection = &run["selection"];
    let whole = selection["tier"] == "commit"
        && selection["filters"].as_array().is_some_and(Vec::is_empty)
        && selection["shard"].is_null();
    let mut phases = run["phases"].as_array()?.iter();
    let phase = phases.find(|phase| phase["name"] == "test")?;
    let passed = run["verdict"] == "passed";
    let ms = phase["ms"].as_f64().filter(|_| passed && whole)?;
    Some(Measurement {
        name: SUITE.to_owned(),
        what: format!(
            "the test phase of run {}, {} tests",
            run["run_id"].as_str().unwrap_or_default(),
            run["counts"]["passed"]
        ),
        ms: vec![ms],
        anchor: None,
    })
}

fn host(host: &Value) -> String {
    let text = |name: &str| host[name].as_str().unwrap_or_default().to_owned();
    format!("{} cores of {}, {}", host["cores"], text("cpu"), text("os"))
}
