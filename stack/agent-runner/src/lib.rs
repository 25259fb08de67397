//! The agent-runner: a Temporal activity worker that runs an agent's turn.
//!
//! `execute` is the pipeline: `backend` says who the agent is, `resources` gets what it needs (`mcp`,
//! `skills`, `sub_agents`), `conversation` says what the model reads, `turn` asks it (`llm`) and calls
//! the `tools` it asks for, `transcript` is what the execution's record shows of all that, and `report`
//! brings that record to the server while it grows. `activities` is how Temporal calls it.

#[expect(
    dead_code,
    reason = "the macro makes constants for callers in Rust; the server calls by name"
)]
mod activities;
mod backend;
mod conversation;
mod environment;
mod execute;
mod llm;
mod mcp;
mod options;
mod probe;
mod report;
mod resources;
mod service;
mod settings;
mod skills;
mod sub_agents;
mod text;
mod tools;
mod transcript;
mod turn;
mod workspace;

pub use service::main;
