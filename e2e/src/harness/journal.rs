//! JSON lines written as things happen, so that an aborted test still has them.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    sync::{Arc, Mutex},
    time::Instant,
};

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde_json::{Value, json};

/// One `.jsonl` file; clones write to the same one.
#[derive(Clone, Debug)]
pub struct Journal {
    file: Arc<Mutex<File>>,
    start: Instant,
}

impl Journal {
    /// Opens `path` for appending. Times count from `start`.
    pub(super) fn open(path: &Utf8Path, start: Instant) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("failed to open {path}"))?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            start,
        })
    }

    /// Appends `entry`, an object, with the time in front. A full disk loses the line, not the test.
    pub fn write(&self, entry: Value) {
        let mut line =
            json!({"at_ms": u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)});
        if let (Value::Object(line), Value::Object(entry)) = (&mut line, entry) {
            line.extend(entry);
        }
        let mut text = line.to_string();
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
