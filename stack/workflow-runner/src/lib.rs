//! The workflow-runner: validates workflows and runs them on Temporal.
//!
//! What a workflow means is the crate `stigmer-workflow-engine`, which knows nothing of Temporal: a
//! spec is converted to a model, which is validated, travels as a document, and is interpreted over a
//! trait of effects. `temporal` is that trait on Temporal, inside the workflow `ExecuteServerlessWorkflow`;
//! `activities` are the calls it makes, and what the server asks of this runner; `backend` is the
//! server's API.

mod activities;
mod backend;
mod service;
mod settings;
mod temporal;

pub use service::main;
use stigmer_workflow_engine as engine;
