//! `llm.jsonl` and `hub.jsonl`: what the stack asked the scripted edges, and what they answered.

use camino::Utf8Path;
use serde_json::Value;

use super::Entry;
use crate::read;

/// What passed the edges of the test in `folder`.
pub fn entries(folder: &Utf8Path) -> Vec<Entry> {
    ["llm", "hub"]
        .into_iter()
        .flat_map(|edge| {
            let lines = read::json_lines(&folder.join(format!("{edge}.jsonl")));
            lines.into_iter().map(move |line| entry(edge, &line))
        })
        .collect()
}

fn entry(edge: &str, line: &Value) -> Entry {
    let request = line["request"]
        .as_u64()
        .map(|number| format!("#{number} "))
        .unwrap_or_default();
    let at = line["at_ms"].as_f64().unwrap_or_default();
    let bad = line.get("unexpected").is_some_and(|value| value != false);
    Entry::new(at, edge, format!("{request}{}", summary(line)))
        .bad_if(bad)
        .with_detail(line)
}

/// A line without the fields that every line has, on one line.
fn summary(line: &Value) -> String {
    const LONGEST: usize = 160;
    let mut rest = line.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.retain(|field, _| field != "at_ms" && field != "request");
    }
    let text = rest.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
