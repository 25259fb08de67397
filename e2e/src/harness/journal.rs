//! JSON lines written as things happen, so that an aborted test still has them.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    sync::{Arc, Mutex},
    time::Instant,
};

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde_json::{Map, Value, json};

use super::secrets::Secrets;

/// One `.jsonl` file; clones write to the same one.
#[derive(Clone, Debug)]
pub struct Journal {
    file: Arc<Mutex<File>>,
    start: Instant,
    secrets: Secrets,
    always: Map<String, Value>,
}

impl Journal {
    /// Opens `path` for appending. Times count from `start`; `secrets` are not written.
    pub(super) fn open(path: &Utf8Path, start: Instant, secrets: Secrets) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("failed to open {path}"))?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            start,
            secrets,
            always: Map::new(),
        })
    }

    /// A writer to the same file whose entries all say `name: value`.
    pub(super) fn saying(&self, name: &str, value: impl Into<Value>) -> Self {
        let mut journal = self.clone();
        journal.always.insert(name.to_owned(), value.into());
        journal
    }

    /// Appends `entry`, an object, with the time; long texts in it are cut. A full disk loses the
    /// line, not the test.
    pub fn write(&self, entry: Value) {
        let mut line =
            json!({"at_ms": u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)});
        if let (Value::Object(line), Value::Object(entry)) = (&mut line, entry) {
            line.extend(self.always.clone());
            line.extend(
                entry
                    .into_iter()
                    .map(|(name, value)| (name, shortened(value))),
            );
        }
        let mut text = self.secrets.mask(&line.to_string());
        text.push('\n');
        // A writer that panicked mid-line leaves at worst one broken line.
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::warn!(%error, "failed to write a journal line");
        }
    }
}

/// `value` with long texts cut, so that a test of large messages has a readable journal.
fn shortened(value: Value) -> Value {
    const LONGEST: usize = 4096;
    match value {
        Value::String(text) if text.len() > LONGEST => {
            let head = text.chars().take(200).collect::<String>();
            Value::String(format!("{head}… ({} bytes)", text.len()))
        }
        Value::Array(items) => items.into_iter().map(shortened).collect(),
        Value::Object(map) => map.into_iter().map(|(k, v)| (k, shortened(v))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_wherever_they_stand() {
        let long = "é".repeat(5000);
        let cut = shortened(json!({"a": [{"b": long}], "c": "short"}));
        assert_eq!(cut["c"], "short");
        let text = cut["a"][0]["b"].as_str().unwrap();
        assert!(
            text.starts_with("éé") && text.ends_with("… (10000 bytes)"),
            "{text}"
        );
    }
}
