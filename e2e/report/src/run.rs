//! The run as a whole: verdict, provenance, phases, services.

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::{ReportError, Used, read, story, timeline};

/// What a report says about the run itself.
pub struct Run {
    /// `run.json` as it is.
    record: Value,
    /// What was drawn over time.
    timeline: Value,
    /// `coverage.json`, or null.
    scenarios: Value,
    /// What the tests used.
    used: Used,
    /// `summary.json`, or null: what was measured.
    summary: Value,
}

impl Run {
    /// Reads the run in `results`.
    pub fn read(results: &Utf8Path) -> Result<Self, ReportError> {
        let file = results.join("run.json");
        let no_run = |reason: String| ReportError::NoRun {
            folder: results.to_owned(),
            reason,
        };
        let content = std::fs::read(&file).map_err(|error| no_run(error.to_string()))?;
        let record: Value =
            serde_json::from_slice(&content).map_err(|error| no_run(error.to_string()))?;
        if !record["run_id"].is_string() {
            return Err(no_run("it names no run_id".to_owned()));
        }
        let events = read::json_lines(&results.join("events.jsonl"));
        let or_null = |name: &str| read::json(&results.join(name)).unwrap_or(Value::Null);
        Ok(Self {
            timeline: timeline::of(&record, &events, &story::faults(results)),
            scenarios: or_null("coverage.json"),
            summary: or_null("summary.json"),
            used: Used::by_tests_in(&results.join("tests")),
            record,
        })
    }

    /// The run's name.
    pub fn id(&self) -> &str {
        self.record["run_id"].as_str().unwrap_or_default()
    }

    /// How it ended, as `run.json` has it.
    pub fn verdict(&self) -> &str {
        self.record["verdict"].as_str().unwrap_or("unknown")
    }

    /// What was drawn over time.
    pub fn timeline(&self) -> &Value {
        &self.timeline
    }

    /// All of it, as the page's script reads it.
    pub fn to_json(&self) -> Value {
        json!({
            "record": self.record,
            "timeline": self.timeline,
            "scenarios": self.scenarios,
            "used": self.used,
            "summary": self.summary,
        })
    }
}
