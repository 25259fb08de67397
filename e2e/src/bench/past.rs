//! `bench-history.jsonl`, beside the results folders: what was measured in each run.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use stigmer_e2e_numbers::Sample;
use stigmer_e2e_plan::RunLog;

const FILE: &str = "bench-history.jsonl";
/// With how many runs a run is compared.
const LAST: usize = 20;
/// A median of fewer says nothing.
const ENOUGH: usize = 5;

/// One run: a line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    run_id: String,
    /// What is compared, by name: times of an anchor, or milliseconds.
    values: BTreeMap<String, f64>,
}

/// The runs before this one, oldest first.
#[derive(Debug)]
pub struct Past {
    log: RunLog<Entry>,
    run_id: String,
}

impl Past {
    /// What is known of the runs before `run_id` whose results folders are beside `results`.
    pub fn beside(results: &Utf8Path, run_id: &str) -> Self {
        let folder = results.parent().unwrap_or(Utf8Path::new("."));
        Self {
            log: RunLog::open(folder.join(FILE)),
            run_id: run_id.to_owned(),
        }
    }

    /// The median of the last runs of a name, of 20 at most and 5 at least.
    pub fn median(&self, name: &str) -> Option<f64> {
        let runs = self.log.entries().iter();
        // A run that is judged again is not compared with itself.
        let before = runs.take_while(|run| run.run_id != self.run_id);
        let values: Vec<f64> = before
            .filter_map(|run| run.values.get(name).copied())
            .collect();
        let sample = Sample::of(values.into_iter().rev().take(LAST))?;
        (sample.len() >= ENOUGH).then(|| sample.median())
    }

    /// Adds this run.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn append(&mut self, values: impl IntoIterator<Item = (String, f64)>) -> Result<()> {
        self.log.append(Entry {
            run_id: self.run_id.clone(),
            values: values.into_iter().collect(),
        })
    }
}
