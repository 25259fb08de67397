//! A file of values that later runs are compared with, each with a name. It is part of the checkout, so it
//! holds what does not depend on the machine much: times of an anchor, not seconds.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{read_json, write_json};

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// The run that was made part of it last.
    run_id: String,
    /// The values by name; less is better.
    values: BTreeMap<String, f64>,
}

impl Baseline {
    /// Reads it. One that is not there is empty: there is nothing to compare with yet.
    ///
    /// # Errors
    ///
    /// When the file is no baseline.
    pub fn read(file: &Utf8Path) -> Result<Self> {
        match file.exists() {
            true => read_json(file).with_context(|| {
                format!(
                    "{file} is no baseline; make one with --save-baseline of the verb that reads it"
                )
            }),
            false => Ok(Self::default()),
        }
    }

    /// The one that a run makes.
    pub fn of(run_id: &str, values: impl IntoIterator<Item = (String, f64)>) -> Self {
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        let values = values.into_iter();
        Self {
            run_id: run_id.to_owned(),
            values: values.map(|(name, value)| (name, rounded(value))).collect(),
        }
    }

    /// The same, with those values of `older` that this one has not.
    #[must_use]
    pub fn or(mut self, older: Self) -> Self {
        for (name, value) in older.values {
            self.values.entry(name).or_insert(value);
        }
        self
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, file: &Utf8Path) -> Result<()> {
        write_json(file, self)
    }

    /// What it says of a name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }
}
