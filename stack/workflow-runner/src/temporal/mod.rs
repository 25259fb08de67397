//! The interpreter as a Temporal workflow.

mod effects;
mod failure;
mod message;
mod progress;
mod run;
mod workflow;

pub(crate) use effects::SLACK;
pub(crate) use failure::FaultDetails;
pub use message::{
    MAX_PAYLOAD, Metadata, WorkflowInput, WorkflowOutput, json_of, read as read_payload,
};
pub use workflow::ServerlessWorkflow;

#[cfg(test)]
mod replay_tests;
