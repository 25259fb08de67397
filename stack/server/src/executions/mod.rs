//! Executions: their phases, how reports change them, who watches them, and how each of them comes
//! to an end whatever happens to runners and to Temporal.

mod accept;
mod agent;
mod broker;
mod environment;
mod execution;
mod job;
mod merge;
mod orchestrator;
mod phase;
mod status;
mod subscribe;
mod sweep;
mod workflow;

#[cfg(test)]
mod tests;

pub use accept::accept;
pub use broker::{Broker, Watcher};
pub use environment::{HasEnvironment, mark_secrets};
pub use execution::{Execution, Status};
pub use orchestrator::{
    Gone, Job, LookupError, Orchestrator, RunState, StartFailure, ValidationFailure,
};
pub use phase::Phase;
pub use status::{conclude, update_status};
pub use subscribe::{Subscription, subscribe};
pub use sweep::{Abandoned, keep_sweeping};
