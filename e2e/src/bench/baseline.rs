//! The baseline: what each benchmark took, in times of its anchor. Without an anchor a number is of one
//! machine, so it is not in it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{read_json, write_json};

use super::verdict::Judged;

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// The run it is of.
    run_id: String,
    /// Benchmarks by name: how many times the anchor's median goes into the benchmark's.
    ratios: BTreeMap<String, f64>,
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
                format!("{file} is no baseline; make one with `cargo xtask bench --save-baseline`")
            }),
            false => Ok(Self::default()),
        }
    }

    /// The one that a run makes.
    pub fn of(run_id: &str, judged: &[Judged]) -> Self {
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        let anchored = judged.iter().filter_map(|it| {
            let beside = it.row.beside.as_ref()?;
            Some((it.row.name.clone(), rounded(beside.ratio)))
        });
        Self {
            run_id: run_id.to_owned(),
            ratios: anchored.collect(),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, file: &Utf8Path) -> Result<()> {
        write_json(file, self)
    }

    /// What it says of a benchmark.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.ratios.get(name).copied()
    }
}
