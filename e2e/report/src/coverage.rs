//! What the tests used, counted from what ran: gRPC methods by status, CLI commands by exit code.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::{evidence, read};

type Counts = BTreeMap<String, BTreeMap<String, usize>>;

/// `{"methods": {path: {status: n}}, "commands": {command: {exit code: n}}}` over all tests in `folder`.
pub fn used(folder: &Utf8Path) -> Value {
    let mut methods = Counts::new();
    let mut commands = Counts::new();
    for test in read::entries(folder) {
        for call in read::json_lines(&test.join("grpc.jsonl")) {
            let method = call["method"].as_str().unwrap_or_default().to_owned();
            *methods
                .entry(method)
                .or_default()
                .entry(evidence::calls::status(&call))
                .or_default() += 1;
        }
        for file in read::entries(&test.join("cli")) {
            let Some(text) = read::text(&file) else {
                continue;
            };
            let command = evidence::cli::Command::read(&text);
            let by_code = commands.entry(command.verb()).or_default();
            *by_code.entry(command.ending().to_owned()).or_default() += 1;
        }
    }
    json!({"methods": methods, "commands": commands})
}
