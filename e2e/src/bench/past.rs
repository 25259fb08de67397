//! `bench-history.jsonl`, beside the results folders: what the benchmarks of each run came to.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_numbers::Sample;

use super::verdict::Judged;

const FILE: &str = "bench-history.jsonl";
/// With how many runs a run is compared.
const LAST: usize = 20;
/// A median of fewer says nothing.
const ENOUGH: usize = 5;

/// One run: a line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    run_id: String,
    /// What is compared, by benchmark: times of the anchor, or milliseconds.
    values: BTreeMap<String, f64>,
}

/// The runs before this one, oldest first.
#[derive(Debug)]
pub struct Past {
    file: Utf8PathBuf,
    runs: Vec<Entry>,
}

impl Past {
    /// What is known of the runs before `run_id` whose results folders are beside `results`. A line that
    /// cannot be understood was cut off or is of another version, and is left out.
    pub fn beside(results: &Utf8Path, run_id: &str) -> Self {
        let file = results.parent().unwrap_or(Utf8Path::new(".")).join(FILE);
        let text = fs::read_to_string(&file).unwrap_or_default();
        let runs = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            // A run that is judged again is not compared with itself.
            .take_while(|run: &Entry| run.run_id != run_id)
            .collect();
        Self { file, runs }
    }

    /// The median of a benchmark's last runs, of 20 at most and 5 at least.
    pub fn median(&self, name: &str) -> Option<f64> {
        let runs = self.runs.iter().rev();
        let values = runs.filter_map(|run| run.values.get(name).copied());
        let sample = Sample::of(values.take(LAST))?;
        (sample.len() >= ENOUGH).then(|| sample.median())
    }

    /// Adds a run in one write, so that runs that end at the same time do not mix their lines.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn append(&self, run_id: &str, judged: &[Judged]) -> Result<()> {
        let value = |it: &Judged| (it.row.name.clone(), it.row.value());
        let entry = Entry {
            run_id: run_id.to_owned(),
            values: judged.iter().map(value).collect(),
        };
        let line = serde_json::to_string(&entry)? + "\n";
        File::options()
            .append(true)
            .create(true)
            .open(&self.file)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .with_context(|| format!("failed to write {}", self.file))
    }
}
