//! What the front door (`xtask`) hands to the driver (`e2e`): one plan per run, and the vocabulary
//! both use for phases, exit codes, and results. Kept free of heavy dependencies, because `xtask`
//! must build in seconds.

mod again;
mod exit_code;
mod failure;
mod faults;
mod files;
mod hermetic;
mod load;
mod ollama;
mod output;
mod plan;
mod record;
mod run_log;
mod runtime;
mod server;
mod shard;
mod staleness;
mod tier;

pub use again::repro_command;
pub use exit_code::ExitCode;
pub use failure::{ErrorEvent, Failure, exit_code_of, failure};
pub use faults::{FAULTS_MARK, Faults};
pub use files::{is_full, read_json, write_atomically, write_json};
pub use hermetic::Hermetic;
pub use load::{BASELINE, Levels, LoadPlan, Mix, RemoteTemporal};
pub use ollama::{Gguf, OllamaServer};
pub use output::{Output, Style, columns, count, seconds, size};
pub use plan::{
    DEFAULT_PORTS, LlmChoice, LlmFiles, Package, Pin, Plan, Selection, Stack, Tools, Verb,
};
pub use record::{Phase, PhaseName, PhaseRecord};
pub use run_log::RunLog;
pub use runtime::{ContainerPart, Runtime};
pub use server::ServerAddress;
pub use shard::Shard;
pub use staleness::{sources, staleness};
pub use tier::Tier;
