//! Reading what a run wrote, of which any part may be missing: a cut-off run has valid files, but
//! not all of them.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// A JSON file; nothing when it is missing or no JSON.
pub fn json(file: &Utf8Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// The objects of a file with one JSON object per line. A line that is none is left out: the last
/// one may be cut off.
pub fn json_lines(file: &Utf8Path) -> Vec<Value> {
    let text = fs::read(file).unwrap_or_default();
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// A text file; bytes that are no UTF-8 are replaced.
pub fn text(file: &Utf8Path) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(file).ok()?).into_owned())
}

/// What is in a folder, sorted by name; nothing when there is no such folder.
pub fn entries(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut entries: Vec<Utf8PathBuf> = folder
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.into_path())
        .collect();
    entries.sort();
    entries
}

/// The milliseconds since 1970 of an RFC 3339 time.
pub fn milliseconds(time: &str) -> Option<f64> {
    let time: jiff::Timestamp = time.parse().ok()?;
    Some(time.as_nanosecond() as f64 / 1e6)
}
