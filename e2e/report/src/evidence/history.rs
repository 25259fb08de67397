//! `temporal/*.json`: the histories of the test's workflows, event by event.

use camino::Utf8Path;
use serde_json::Value;

use super::Entry;
use crate::read;

/// The events of all histories in `folder`; `start` is the test's, in milliseconds since 1970.
pub fn entries(folder: &Utf8Path, start: f64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for file in read::entries(folder) {
        let Some(history) = read::json(&file) else {
            continue;
        };
        let workflow = file.file_stem().unwrap_or_default();
        let events = history["events"].as_array().map_or(&[][..], Vec::as_slice);
        entries.extend(
            events
                .iter()
                .filter_map(|event| entry(workflow, event, start)),
        );
    }
    entries
}

fn entry(workflow: &str, event: &Value, start: f64) -> Option<Entry> {
    let at = read::milliseconds(event["event_time"].as_str()?)? - start;
    let (kind, attributes) = event["attributes"].as_object()?.iter().next()?;
    let kind = kind.trim_end_matches("EventAttributes");
    let of = ["activity_type", "workflow_type"]
        .into_iter()
        .find_map(|field| attributes[field]["name"].as_str())
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    let bad = ["Failed", "TimedOut", "Terminated"]
        .iter()
        .any(|end| kind.ends_with(end));
    let text = format!("{kind}{of} · {workflow} #{}", event["event_id"]);
    // Payloads are encrypted and say nothing here; a failure's message is what helps.
    let entry = Entry::new(at, "temporal", text).bad_if(bad);
    Some(match bad {
        true => entry.with_detail(&attributes["failure"]),
        false => entry,
    })
}
