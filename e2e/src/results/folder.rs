//! The folder itself: every write goes through here, so that a full disk ends a run the same way
//! wherever it is noticed.

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use stigmer_e2e_plan::{ExitCode, Plan, failure, is_full, write_atomically, write_json};

use super::{
    Coverage, RunRecord, Summary, TestOutcome,
    events::{Event, Events},
    junit,
};

/// The results folder of a run. Every error is a failure with [`ExitCode::ResultsUnwritable`], or
/// with [`ExitCode::DiskFull`].
#[derive(Debug)]
pub struct Results {
    folder: Utf8PathBuf,
    root: Utf8PathBuf,
    events: Events,
    /// What `run.json` holds; [`Results::write_run`] writes it.
    pub run: RunRecord,
}

impl Results {
    /// Creates the folder of `plan`, its event log, and the first `run.json`.
    pub fn create(plan: &Plan) -> Result<Self> {
        let folder = plan.results.clone();
        let open = || {
            std::fs::create_dir_all(folder.join("services"))
                .with_context(|| format!("failed to create {folder}/services"))?;
            let file = folder.join("events.jsonl");
            Events::open(&file).with_context(|| format!("failed to open {file}"))
        };
        let events = writable(open())?;
        let results = Self {
            folder,
            root: plan.root.clone(),
            events,
            run: RunRecord::new(plan),
        };
        results.write_run()?;
        Ok(results)
    }

    /// Its path.
    pub fn path(&self) -> &Utf8Path {
        &self.folder
    }

    /// Appends an event to `events.jsonl`.
    pub fn event<T: Serialize>(&mut self, event: &Event<'_, T>) -> Result<()> {
        writable(
            self.events
                .append(event)
                .with_context(|| format!("failed to write {}/events.jsonl", self.folder)),
        )
    }

    /// Writes `run.json` as it stands.
    pub fn write_run(&self) -> Result<()> {
        writable(write_json(&self.folder.join("run.json"), &self.run))
    }

    /// Writes `run.json`, `junit.xml`, and the summary as the tests stand: what an aborted run has.
    pub fn write_tests(&mut self, outcomes: &[TestOutcome]) -> Result<()> {
        let summary = Summary::of(
            &self.run.run_id,
            self.run.seed,
            &self.root,
            self.folder.clone(),
            outcomes,
        );
        self.run.counts = summary.tally;
        self.write_run()?;
        let xml = junit::xml(&self.run.run_id, self.run.seed, outcomes)
            .context("failed to encode junit.xml")?;
        writable(write_atomically(
            &self.folder.join("junit.xml"),
            xml.as_bytes(),
        ))?;
        self.write_summary(&summary)
    }

    /// Writes `coverage.json` and `coverage.md`.
    pub fn write_coverage(&self, coverage: &Coverage) -> Result<()> {
        writable(write_json(&self.folder.join("coverage.json"), coverage))?;
        writable(write_atomically(
            &self.folder.join("coverage.md"),
            coverage.markdown().as_bytes(),
        ))
    }

    /// Writes `summary.json` and `summary.txt`.
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        writable(write_json(&self.folder.join("summary.json"), summary))?;
        writable(write_atomically(
            &self.folder.join("summary.txt"),
            summary.text().as_bytes(),
        ))
    }

    /// Writes `report.html` and `trace.json` from what the folder holds by now.
    pub fn write_report(&self) -> Result<()> {
        for write in [stigmer_e2e_report::write, stigmer_e2e_report::write_trace] {
            writable(write(&self.folder).map_err(anyhow::Error::from))?;
        }
        Ok(())
    }

    /// Writes any other file of the folder.
    pub fn write_file(&self, name: &str, content: &[u8]) -> Result<Utf8PathBuf> {
        let file = self.folder.join(name);
        writable(write_atomically(&file, content))?;
        Ok(file)
    }
}

fn writable<T>(result: Result<T>) -> Result<T> {
    result.map_err(|error| {
        let (code, fix) = match is_full(&error) {
            true => (
                ExitCode::DiskFull,
                "free some space, or name a folder on another disk with --results",
            ),
            false => (
                ExitCode::ResultsUnwritable,
                "make the folder writable, or name another one with --results",
            ),
        };
        failure(code, format!("{error:#}"), fix)
    })
}
