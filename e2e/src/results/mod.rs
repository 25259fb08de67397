//! The results folder of a run. Its files are whole at any moment, so that an aborted run has them
//! too (`docs/results.md` describes them for readers).

mod containers;
mod coverage;
mod events;
mod folder;
mod github;
mod history;
mod isolation;
mod junit;
mod measured;
mod outcome;
mod provenance;
mod run_record;
mod sbom;
mod summary;

pub use containers::ContainersRecord;
pub use coverage::{Coverage, Fixtures, Scenario, Uses, scenarios};
pub use events::{Event, now};
pub use folder::Results;
pub use github::GitHub;
pub use history::{History, Slower};
pub use isolation::{Isolation, entries};
pub use junit::of_rounds as junit_of_rounds;
pub use measured::Measured;
pub use outcome::{Tally, TestOutcome, TestVerdict, function};
pub use provenance::{Provenance, programs_of, versions_of};
pub use run_record::{RunRecord, RunVerdict, SetAside, mark_ended};
pub use sbom::sbom;
pub use summary::{Summary, last_line};
