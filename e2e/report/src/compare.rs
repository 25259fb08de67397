//! Two runs side by side.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;
use serde_json::Value;

use crate::{ReportError, read, run::Run};

/// A test slower than this many times its time in the other run is worth a line.
const SLOWER: f64 = 1.5;
/// Differences below so many milliseconds are noise.
const NOISE_MS: f64 = 200.0;

/// What differs between two runs.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The first run.
    pub before: String,
    /// The second run.
    pub after: String,
    /// Inputs that are not the same: revision, pins, binaries, seed, with both values.
    pub inputs: Vec<(String, String, String)>,
    /// Tests whose verdict or time changed.
    pub changes: Vec<Change>,
}

/// A test that went another way.
#[derive(Debug, PartialEq, Serialize)]
pub struct Change {
    /// The test's path in the suite.
    pub test: String,
    /// Verdict and milliseconds in the first run; nothing when it did not run there.
    pub before: Option<(String, f64)>,
    /// The same in the second run.
    pub after: Option<(String, f64)>,
}

/// Compares the runs in two results folders.
///
/// # Errors
///
/// When one of them is no results folder.
pub fn compare(before: &Utf8Path, after: &Utf8Path) -> Result<Comparison, ReportError> {
    let (first, second) = (Run::read(before)?, Run::read(after)?);
    let (a, b) = (first.to_json(), second.to_json());
    Ok(Comparison {
        inputs: inputs(&a["record"], &b["record"]),
        changes: changes(&outcomes(before), &outcomes(after)),
        before: first.id().to_owned(),
        after: second.id().to_owned(),
    })
}

/// The fields of `run.json` that say what went in.
const INPUTS: [&str; 7] = [
    "seed",
    "jobs",
    "llm",
    "model_sha256",
    "pins",
    "git",
    "binaries",
];

fn inputs(a: &Value, b: &Value) -> Vec<(String, String, String)> {
    let mut differing = Vec::new();
    for field in INPUTS {
        differences(field, &a[field], &b[field], &mut differing);
    }
    differing
}

/// The leaves in which two values differ, by their path.
fn differences(path: &str, a: &Value, b: &Value, found: &mut Vec<(String, String, String)>) {
    match (a, b) {
        _ if a == b => {}
        (Value::Object(x), Value::Object(_)) => {
            for field in x.keys() {
                differences(&format!("{path}.{field}"), &a[field], &b[field], found);
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            for (at, (x, y)) in x.iter().zip(y).enumerate() {
                let name = x["name"]
                    .as_str()
                    .map_or_else(|| at.to_string(), str::to_owned);
                differences(&format!("{path}.{name}"), x, y, found);
            }
        }
        _ => found.push((path.to_owned(), a.to_string(), b.to_string())),
    }
}

type Outcomes = BTreeMap<String, (String, f64)>;

fn outcomes(results: &Utf8Path) -> Outcomes {
    read::entries(&results.join("tests"))
        .iter()
        .filter_map(|folder| {
            let test = read::json(&folder.join("test.json"))?;
            let verdict = test["verdict"].as_str()?.to_owned();
            let ms = test["ms"].as_f64().unwrap_or_default();
            Some((test["name"].as_str()?.to_owned(), (verdict, ms)))
        })
        .collect()
}

fn changes(before: &Outcomes, after: &Outcomes) -> Vec<Change> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .map(|test| Change {
            test: test.clone(),
            before: before.get(test).cloned(),
            after: after.get(test).cloned(),
        })
        .filter(Change::is_worth_a_line)
        .collect()
}

impl Change {
    fn is_worth_a_line(&self) -> bool {
        let (Some((verdict, ms)), Some((now, now_ms))) = (&self.before, &self.after) else {
            return true;
        };
        let (fast, slow) = (ms.min(*now_ms), ms.max(*now_ms));
        verdict != now || (slow - fast > NOISE_MS && slow > SLOWER * fast)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changed_is_listed() {
        let run = |tests: &[(&str, &str, f64)]| {
            tests
                .iter()
                .map(|(name, verdict, ms)| ((*name).to_owned(), ((*verdict).to_owned(), *ms)))
                .collect()
        };
        let before: Outcomes = run(&[
            ("same", "passed", 500.0),
            ("red", "passed", 10.0),
            ("slow", "passed", 400.0),
            ("gone", "passed", 1.0),
        ]);
        let after: Outcomes = run(&[
            ("same", "passed", 600.0),
            ("red", "failed", 10.0),
            ("slow", "passed", 900.0),
            ("new", "passed", 1.0),
        ]);
        let changed: Vec<String> = changes(&before, &after)
            .into_iter()
            .map(|change| change.test)
            .collect();
        assert_eq!(changed, ["gone", "new", "red", "slow"]);
    }

    #[test]
    fn differing_inputs_are_named_by_their_path() {
        let a = json!({"seed": 1, "pins": [{"name": "temporal", "version": "1"}]});
        let b = json!({"seed": 1, "pins": [{"name": "temporal", "version": "2"}]});
        let differing = inputs(&a, &b);
        assert_eq!(
            differing,
            [(
                "pins.temporal.version".to_owned(),
                "\"1\"".to_owned(),
                "\"2\"".to_owned()
            )]
        );
    }
}
