//! Phases: timed, recorded for the plan, and shown as they end.

use std::time::Instant;

use anyhow::Result;
use stigmer_e2e_plan::{Output, PhaseName, PhaseRecord};

/// The phases of this run so far.
pub struct Phases {
    output: Output,
    records: Vec<PhaseRecord>,
}

impl Phases {
    /// No phase yet.
    pub fn new(output: Output) -> Self {
        Self {
            output,
            records: Vec::new(),
        }
    }

    /// Does the `work` of a phase, which also says in one line what it did.
    pub fn run<T>(
        &mut self,
        name: PhaseName,
        work: impl FnOnce() -> Result<(T, String)>,
    ) -> Result<T> {
        let start = Instant::now();
        let (value, summary) = work()?;
        // 2^64 milliseconds outlast any run.
        let ms = start.elapsed().as_millis() as u64;
        let record = PhaseRecord { name, ms, summary };
        self.output.phase(&record);
        self.records.push(record);
        Ok(value)
    }

    /// What is known about the phases that are over.
    pub fn into_records(self) -> Vec<PhaseRecord> {
        self.records
    }
}
