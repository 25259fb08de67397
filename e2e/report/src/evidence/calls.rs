//! `grpc.jsonl`: the calls that a test made itself.

use camino::Utf8Path;
use serde_json::Value;

use super::Entry;
use crate::read;

/// The status of a call, `OK` for one that was answered.
pub fn status(call: &Value) -> String {
    let error = &call["error"];
    let code = error["code"]
        .as_str()
        .or(error.as_str())
        .or(call["status"].as_str());
    match code {
        // A stream that ended well names its status as the library does.
        None | Some("Ok") => "OK".to_owned(),
        Some(code) => code.to_owned(),
    }
}

/// The calls in `file`.
pub fn entries(file: &Utf8Path) -> Vec<Entry> {
    read::json_lines(file).iter().map(entry).collect()
}

fn entry(call: &Value) -> Entry {
    let method = call["method"].as_str().unwrap_or_default();
    let short = method
        .rsplit_once(".v1.")
        .map_or(method, |(_, method)| method);
    let status = status(call);
    let took = call["ms"]
        .as_f64()
        .map(|ms| format!(" in {ms} ms"))
        .unwrap_or_default();
    let at = call["at_ms"].as_f64().unwrap_or_default();
    Entry::new(at, "grpc", format!("{short}: {status}{took}"))
        .bad_if(status != "OK")
        .with_detail(call)
}
