//! `events.jsonl`: one JSON object per line, appended as things happen.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
};

use camino::Utf8Path;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// The event log of a run.
#[derive(Debug)]
pub struct Events(File);

impl Events {
    /// Opens `file` for appending.
    pub fn open(file: &Utf8Path) -> io::Result<Self> {
        // Appending keeps every line whole even if two processes write.
        OpenOptions::new().create(true).append(true).open(file).map(Self)
    }

    /// Appends an event: the time, its name, and the fields of `detail`, an object. Returns the line.
    pub fn append<T: Serialize>(&mut self, event: &str, detail: &T) -> io::Result<Value> {
        let mut line = json!({"time": now(), "event": event});
        if let (Value::Object(line), Value::Object(detail)) = (&mut line, serde_json::to_value(detail)?) {
            line.extend(detail);
        }
        let mut text = line.to_string();
        text.push('\n');
        self.0.write_all(text.as_bytes())?;
        Ok(line)
    }
}

/// The time now in UTC with milliseconds, RFC 3339.
pub fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_an_object_with_time_and_name_and_earlier_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = camino::Utf8PathBuf::from_path_buf(folder.path().join("events.jsonl")).unwrap();
        Events::open(&file).unwrap().append("run-started", &json!({"seed": 7})).unwrap();
        Events::open(&file).unwrap().append("test-ended", &json!({"name": "a\nb"})).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["event"], &lines[0]["seed"]), (&json!("run-started"), &json!(7)));
        assert_eq!(lines[1]["name"], "a\nb");
        assert!(lines.iter().all(|line| line["time"].as_str().is_some_and(|time| time.ends_with('Z'))), "{text}");
    }
}
