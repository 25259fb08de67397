//! One test as a story: what it did, and everything that was recorded meanwhile, by time.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::{evidence, read};

/// A test.
pub struct Story {
    /// What the page shows of it at once: name, verdict, time, and all about its failure.
    pub head: Value,
    /// The rest of `test.json`, and what happened, in order.
    pub body: Value,
}

/// The longest detail of an entry of a red test, in bytes, and of any other: nobody reads on in a
/// request of a test that passed, and a page of a thousand tests has to open at once.
const DETAIL_RED: usize = 16 * 1024;
const DETAIL: usize = 1024;

/// The tests in `results`, in the order in which they began.
pub fn read_all(results: &Utf8Path) -> Vec<Story> {
    let mut records: Vec<(String, Value, Utf8PathBuf)> = read::entries(&results.join("tests"))
        .into_iter()
        .filter_map(|folder| {
            let record = read::json(&folder.join("test.json"))?;
            let started = record["started_at"].as_str().unwrap_or_default().to_owned();
            Some((started, record, folder))
        })
        .collect();
    records.sort_by(|a, b| a.0.cmp(&b.0));
    records
        .into_iter()
        .map(|(started, record, folder)| story(&started, record, &folder))
        .collect()
}

/// The folder of the test at `path` in the suite.
pub fn folder_of(results: &Utf8Path, path: &str) -> Utf8PathBuf {
    let function = path.rsplit("::").next().unwrap_or(path);
    results.join("tests").join(function)
}

/// What the tests in `results` broke on purpose: milliseconds since 1970, what, and which test.
pub fn faults(results: &Utf8Path) -> Vec<(f64, String, String)> {
    let mut faults = Vec::new();
    for folder in read::entries(&results.join("tests")) {
        let entries = evidence::faults(&folder);
        if entries.is_empty() {
            continue;
        }
        let record = read::json(&folder.join("test.json")).unwrap_or_default();
        let started = record["started_at"].as_str().and_then(read::milliseconds);
        let test = folder.file_name().unwrap_or_default();
        faults.extend(started.into_iter().flat_map(|start| {
            let fault =
                |entry: &evidence::Entry| (start + entry.at, entry.text.clone(), test.to_owned());
            entries.iter().map(fault).collect::<Vec<_>>()
        }));
    }
    faults
}

fn story(started: &str, mut record: Value, folder: &Utf8Path) -> Story {
    let start = read::milliseconds(started).unwrap_or_default();
    let mut entries = evidence::steps(&record);
    entries.extend(evidence::waits(&record));
    entries.extend(evidence::faults(folder));
    entries.extend(evidence::cli::entries(&folder.join("cli")));
    entries.extend(evidence::calls::entries(&folder.join("grpc.jsonl")));
    entries.extend(evidence::edges::entries(folder));
    entries.extend(evidence::history::entries(&folder.join("temporal"), start));
    entries.extend(evidence::logs::entries(folder, start));
    // A sort that keeps the order of equals: a component's own order is the truth about it.
    entries.sort_by(|a, b| a.at.total_cmp(&b.at));
    let is_red = !matches!(record["verdict"].as_str(), Some("passed" | "skipped"));
    let limit = if is_red { DETAIL_RED } else { DETAIL };
    let entries: Vec<_> = entries
        .into_iter()
        .map(|entry| entry.shortened(limit))
        .collect();
    let steps = std::mem::take(&mut record["steps"]);
    let findings = record["teardown_findings"].take();
    let head_fields = [
        "name",
        "ids",
        "verdict",
        "ms",
        "started_at",
        "rerun",
        "failure",
    ];
    let head = head_fields
        .iter()
        .map(|field| ((*field).to_owned(), record[*field].take()));
    let mut head: serde_json::Map<String, Value> = head.collect();
    if is_red {
        head.insert("steps".to_owned(), steps);
        head.insert("findings".to_owned(), findings);
    }
    let body = json!({"record": body_of(record), "entries": entries});
    let head = Value::Object(head);
    Story { head, body }
}

/// What a story shows of `test.json` beside its entries.
fn body_of(mut record: Value) -> Value {
    let fields = [
        "phases",
        "budgets",
        "environments",
        "facts",
        "skipped_because",
    ];
    let kept = fields.map(|field| (field.to_owned(), record[field].take()));
    Value::Object(kept.into_iter().collect())
}
