//! What is written on each cassette of a folder.

use std::io;

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::read_json;

/// A cassette, without its exchanges.
#[derive(Debug, Serialize)]
pub struct Labelled {
    name: String,
    #[serde(flatten)]
    label: Label,
    exchanges: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Label {
    recorded_at: String,
    provider: String,
    model: String,
    model_sha256: Option<String>,
    runner: String,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(flatten)]
    label: Label,
    exchanges: Vec<serde::de::IgnoredAny>,
}

/// The cassettes in `folder`, by name; none when there is no such folder.
///
/// # Errors
///
/// When a file there is no cassette.
pub fn shelf(folder: &Utf8Path) -> Result<Vec<Labelled>> {
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let entries = entries.with_context(|| format!("failed to read {folder}"))?;
    let files = entries.iter().map(|entry| entry.path());
    let mut cassettes = files
        .filter(|file| file.extension() == Some("json"))
        .map(|file| {
            let whole: Whole = read_json(file)?;
            Ok(Labelled {
                name: file.file_stem().unwrap_or_default().to_owned(),
                label: whole.label,
                exchanges: whole.exchanges.len(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    cassettes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cassettes)
}

impl Labelled {
    /// Its file in the folder.
    pub fn file(&self) -> String {
        format!("{}.json", self.name)
    }

    /// One row for people.
    pub fn row(&self) -> Vec<String> {
        let Label {
            recorded_at,
            provider,
            model,
            model_sha256,
            runner,
        } = &self.label;
        let digest = model_sha256.as_deref().unwrap_or("not pinned");
        let day = recorded_at.split('T').next().unwrap_or(recorded_at);
        vec![
            self.name.clone(),
            format!("{} answers", self.exchanges),
            day.to_owned(),
            format!("{provider} {model}"),
            digest.chars().take(12).collect(),
            runner.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_a_cassette_is_shown_in_one_row() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        assert!(shelf(&folder.join("none")).unwrap().is_empty());
        let cassette = r#"{
            "format": 1, "test": "a::ful_01_x", "recorded_at": "2026-11-24T14:00:00Z", "provider": "llama-cpp",
            "model": "SmolLM2", "model_sha256": "0123456789abcdef", "runner": "0.1.0 (build 1)",
            "exchanges": [{"request": {}}, {}]
        }"#;
        std::fs::write(folder.join("ful_01_x.json"), cassette).unwrap();
        std::fs::write(folder.join("README.md"), "").unwrap();
        let shelf = shelf(folder).unwrap();
        assert_eq!(shelf.len(), 1);
        assert_eq!(shelf[0].file(), "ful_01_x.json");
        let row = [
            "ful_01_x",
            "2 answers",
            "2026-11-24",
            "llama-cpp SmolLM2",
            "0123456789ab",
            "0.1.0 (build 1)",
        ];
        assert_eq!(shelf[0].row(), row);
    }

    #[test]
    fn a_file_that_is_no_cassette_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::write(folder.join("broken.json"), "{}").unwrap();
        let error = format!("{:#}", shelf(folder).unwrap_err());
        assert!(error.contains("broken.json"), "{error}");
    }
}
