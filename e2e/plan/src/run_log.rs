//! A file to which every run adds a line: what is known of the runs before this one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, de::DeserializeOwned};

/// What runs have added to a file of JSON lines.
#[derive(Clone, Debug)]
pub struct RunLog<T> {
    file: Utf8PathBuf,
    entries: Vec<T>,
}

impl<T: Serialize + DeserializeOwned> RunLog<T> {
    /// The log in `file`, empty as long as nothing can be read there.
    pub fn open(file: Utf8PathBuf) -> Self {
        Self::read(&file).unwrap_or(Self {
            file,
            entries: Vec::new(),
        })
    }

    /// The log in `file`. A line that cannot be understood was cut off or is of another version, and is
    /// left out.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read(file: &Utf8Path) -> io::Result<Self> {
        let text = fs::read_to_string(file)?;
        let lines = text.lines();
        Ok(Self {
            file: file.to_owned(),
            entries: lines
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
        })
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[T] {
        &self.entries
    }

    /// Adds `entry` in one write, so that runs that end at the same time do not mix their lines.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn append(&mut self, entry: T) -> Result<()> {
        let line = serde_json::to_string(&entry)? + "\n";
        let folder = self.file.parent().unwrap_or(Utf8Path::new("."));
        fs::create_dir_all(folder)
            .and_then(|()| File::options().append(true).create(true).open(&self.file))
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .with_context(|| format!("failed to write {}", self.file))?;
        self.entries.push(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_in_their_order_and_a_cut_line_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let file = folder.join("results/log.jsonl");
        assert!(RunLog::<u8>::read(&file).is_err());
        for entry in [1, 2] {
            RunLog::open(file.clone()).append(entry).expect("written");
        }
        let mut raw = File::options().append(true).open(&file).expect("there");
        raw.write_all(b"{\"cut").expect("written");
        assert_eq!(RunLog::<u8>::open(file).entries(), [1, 2]);
    }
}
