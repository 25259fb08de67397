//! One test as a story: what it did, and everything that was recorded meanwhile, by time.

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::{evidence, read};

/// A test.
pub struct Story {
    /// `test.json` without what the entries repeat.
    pub head: Value,
    /// What happened, in order.
    pub body: Value,
}

/// The tests in `results`, in the order in which they began.
pub fn read_all(results: &Utf8Path) -> Vec<Story> {
    let mut records: Vec<(String, Value, camino::Utf8PathBuf)> =
        read::entries(&results.join("tests"))
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

fn story(started: &str, mut record: Value, folder: &Utf8Path) -> Story {
    let start = read::milliseconds(started).unwrap_or_default();
    let mut entries = evidence::steps(&record);
    entries.extend(evidence::cli::entries(&folder.join("cli")));
    entries.extend(evidence::calls::entries(&folder.join("grpc.jsonl")));
    entries.extend(evidence::edges::entries(folder));
    entries.extend(evidence::history::entries(&folder.join("temporal"), start));
    entries.extend(evidence::logs::entries(folder, start));
    // A sort that keeps the order of equals: a component's own order is the truth about it.
    entries.sort_by(|a, b| a.at.total_cmp(&b.at));
    let head_fields = ["name", "ids", "verdict", "ms", "started_at"];
    let head = head_fields
        .iter()
        .map(|field| ((*field).to_owned(), record[*field].take()));
    let head = Value::Object(head.collect());
    let body = json!({"record": record, "entries": entries});
    Story { head, body }
}
