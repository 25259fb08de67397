//! What the front door (`xtask`) hands to the driver (`e2e`): one plan per run, and the vocabulary
//! both use for phases, exit codes, and results. Kept free of heavy dependencies, because `xtask`
//! must build in seconds.

mod exit_code;
mod failure;
mod files;
mod output;
mod plan;
mod record;
mod staleness;
mod tier;

pub use exit_code::ExitCode;
pub use failure::{ErrorEvent, Failure, exit_code_of, failure};
pub use files::{is_full, read_json, write_atomically, write_json};
pub use output::{Output, Style, columns, count, seconds, size};
pub use plan::{LlmChoice, LlmFiles, Package, Pin, Plan, Selection, Stack, Tools, Verb};
pub use record::{Phase, PhaseName, PhaseRecord};
pub use staleness::{sources, staleness};
pub use tier::Tier;
