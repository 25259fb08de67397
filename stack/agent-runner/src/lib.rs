//! The agent-runner: a Temporal activity worker that runs an agent's turn.
//!
//! `execute` is the pipeline: `backend` says who the agent is, `conversation` what the model reads,
//! `llm` what it answers, `transcript` what the execution's record shows of it, and `report` brings
//! that record to the server while the answer grows. `activities` is how Temporal calls it.

#[expect(
    dead_code,
    reason = "the macro makes constants for callers in Rust; the server calls by name"
)]
mod activities;
mod backend;
mod conversation;
mod execute;
mod llm;
mod report;
mod service;
mod settings;
mod transcript;

pub use service::main;
