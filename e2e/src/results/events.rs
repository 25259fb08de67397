//! `events.jsonl`: one JSON object per line, appended as things happen.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
};

use camino::Utf8Path;
use jiff::Timestamp;
use serde::Serialize;

/// The event log of a run.
#[derive(Debug)]
pub struct Events(File);

/// One line of it.
#[derive(Debug, Serialize)]
pub struct Event<'a, T> {
    time: String,
    event: &'a str,
    #[serde(flatten)]
    detail: T,
}

impl<'a, T: Serialize> Event<'a, T> {
    /// The event `event` that happens now; `detail` is a struct or a map.
    pub fn new(event: &'a str, detail: T) -> Self {
        Self {
            time: now(),
            event,
            detail,
        }
    }
}

impl Events {
    /// Opens `file` for appending.
    pub fn open(file: &Utf8Path) -> io::Result<Self> {
        // Appending keeps every line whole even if two processes write.
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .map(Self)
    }

    /// Appends an event.
    pub fn append<T: Serialize>(&mut self, event: &Event<'_, T>) -> io::Result<()> {
        let mut text = serde_json::to_string(event)?;
        text.push('\n');
        self.0.write_all(text.as_bytes())
    }
}

/// The time now in UTC with milliseconds, RFC 3339.
pub fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_line_is_an_object_with_time_and_name_and_earlier_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = camino::Utf8PathBuf::from_path_buf(folder.path().join("events.jsonl")).unwrap();
        Events::open(&file)
            .unwrap()
            .append(&Event::new("run-started", json!({"seed": 7})))
            .unwrap();
        Events::open(&file)
            .unwrap()
            .append(&Event::new("test-ended", json!({"name": "a\nb"})))
            .unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("{\"time\":"),
            "the time comes first: {text}"
        );
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            (&lines[0]["event"], &lines[0]["seed"]),
            (&json!("run-started"), &json!(7))
        );
        assert_eq!(lines[1]["name"], "a\nb");
        assert!(
            lines.iter().all(|line| line["time"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z'))),
            "{text}"
        );
    }
}
