//! What makes one kind differ from another: its own rules, and what happens around its creation
//! and deletion. Everything else is the pipeline's.

pub mod agent;
pub mod agent_execution;
pub mod agent_instance;
pub mod default_instance;
pub mod execution;
pub mod session;
pub mod skill;
pub mod workflow;
pub mod workflow_execution;
pub mod workflow_instance;

#[cfg(test)]
mod tests;

use stigmer_api::{
    environment::Environment, execution_context::ExecutionContext, mcp_server::McpServer,
};

use crate::{
    mask::Secrets,
    pipeline::{Cause, StepError},
    store::{Indexed, Tx},
};

/// A resource that the pipeline serves. The defaults suit a kind without rules of its own.
pub trait Kind: Indexed + Secrets + PartialEq {
    /// Whether slugs are unique within org and owner scope.
    const UNIQUE_SLUG: bool = true;

    /// Rules that the wire contract does not state. Called on what is about to be stored.
    fn check(&self) -> Result<(), Cause> {
        Ok(())
    }

    /// Completes a new resource, which has its id, before it is stored; and stores what comes with
    /// it, in the same transaction.
    fn prepare(&mut self, _tx: &Tx<'_>) -> Result<(), StepError> {
        Ok(())
    }

    /// Cleans up behind a resource that has just been deleted, in the same transaction.
    fn deleted(&self, _tx: &Tx<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

// Kinds without rules of their own.
impl Kind for Environment {}
impl Kind for ExecutionContext {}
impl Kind for McpServer {}
