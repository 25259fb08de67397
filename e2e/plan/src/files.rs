//! Files that are whole at any moment, whoever is killed while writing them.

use std::{
    fs,
    io::{self, Write},
};

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

/// Whether it was for want of space that something could not be written.
pub fn is_full(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_recognised_below_whatever_was_said_about_it() {
        let error = |kind| Err::<(), _>(io::Error::from(kind)).context("failed to write a file");
        let full = |kind| is_full(&error(kind).expect_err("it is one").context("and so on"));
        assert!(full(io::ErrorKind::StorageFull));
        assert!(!full(io::ErrorKind::PermissionDenied));
    }
}
