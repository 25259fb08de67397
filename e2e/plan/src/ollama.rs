//! Which Ollama serves the pinned model.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// An Ollama that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OllamaServer {
    /// One that somebody else runs, by its URL, such as `http://127.0.0.1:8080`.
    Running(String),
    /// A program, which the run starts for itself.
    Program(Utf8PathBuf),
}

/// The pinned model, for a server that is not pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gguf {
    /// The file.
    pub file: Utf8PathBuf,
    /// The model's name in requests and reports.
    pub name: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

impl Gguf {
    /// Its name at an Ollama: with a part of its digest as the tag, so that no other model of the user's
    /// has it.
    pub fn name_at_ollama(&self) -> String {
        let tag: String = self.sha256.chars().take(12).collect();
        format!("{}:{tag}", self.name)
    }
}
