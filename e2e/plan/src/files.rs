//! Files that are whole at any moment, whoever is killed while writing them.

use std::{fs, io::Write};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, de::DeserializeOwned};

/// Replaces `path` by a file with `content`, never leaving a part of it.
pub fn write_atomically(path: &Utf8Path, content: &[u8]) -> Result<()> {
    let parent = path
        .parent()
        .filter(|p| !p.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("failed to create {parent}"))?;
    let name = path
        .file_name()
        .with_context(|| format!("{path} names no file"))?;
    let part: Utf8PathBuf = parent.join(format!(".{name}.{}.part", std::process::id()));
    let written = fs::File::create(&part)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&part, path));
    written.or_else(|e| {
        // The first error is the one to report; the part may not even exist.
        let _ = fs::remove_file(&part);
        Err(e).with_context(|| format!("failed to write {path}"))
    })
}

/// Writes `value` as indented JSON with a final newline, atomically.
pub fn write_json<T: Serialize>(path: &Utf8Path, value: &T) -> Result<()> {
    let mut text =
        serde_json::to_vec_pretty(value).with_context(|| format!("failed to encode {path}"))?;
    text.push(b'\n');
    write_atomically(path, &text)
}

/// Reads a JSON file, naming it when it cannot be read or understood.
pub fn read_json<T: DeserializeOwned>(path: &Utf8Path) -> Result<T> {
    let text = fs::read(path).with_context(|| format!("failed to read {path}"))?;
    serde_json::from_slice(&text).with_context(|| format!("failed to understand {path}"))
}
