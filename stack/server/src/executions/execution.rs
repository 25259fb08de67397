//! What executions of agents and of workflows have in common.

use std::{collections::HashMap, sync::Arc};

use stigmer_api::execution_context::ExecutionValue;

use super::{Broker, HasEnvironment, Job, Phase};
use crate::{kinds::Kind, pipeline::StepError, state::Brokers, store::Tx};

/// A resource that runs: it has phases, and a status that its runner reports.
pub trait Execution: Kind + HasEnvironment {
    /// The status.
    type Status: Status;

    /// The status, created when unset.
    fn status_mut(&mut self) -> &mut Self::Status;

    /// The id of the workflow behind the execution with this id.
    fn workflow_id(execution_id: &str) -> String;

    /// The environment that its caller gave it, created when unset.
    fn runtime_env_mut(&mut self) -> &mut HashMap<String, ExecutionValue>;

    /// Who watches executions of this kind.
    fn broker(brokers: &Brokers) -> &Arc<Broker<Self>>;

    /// The execution as what its workflow is started for.
    fn into_job(self) -> Job;

    /// Deletes what was made together with this execution, which never ran.
    fn delete_companions(&self, _tx: &Tx<'_>) -> Result<(), StepError> {
        Ok(())
    }

    /// Where the execution stands.
    fn current_phase(&self) -> Phase {
        Phase::from_number(self.phase()).unwrap_or(Phase::Unspecified)
    }
}

/// The status of an execution.
pub trait Status: Clone + Default + PartialEq + Send + 'static {
    /// The fields that say how it goes.
    fn progress(&mut self) -> Progress<'_>;
    /// Takes from `update` what it holds besides progress. What is empty there stays as it is, so that
    /// nothing can be cleared.
    fn take_contents(&mut self, update: Self);
    /// Ends, for `cause`, whatever the contents tell to be under way.
    fn settle(&mut self, cause: &str);
    /// Notes for the reader why the server ended the execution, behind what is there.
    fn append_note(&mut self, text: &str);
    /// What the status tells about a failure besides its error field, or an empty text.
    fn failure_hint(&self) -> String;
}

/// How an execution goes.
pub struct Progress<'s> {
    /// The phase as on the wire.
    pub phase: &'s mut i32,
    /// Why it failed.
    pub error: &'s mut String,
    /// When it began, RFC 3339.
    pub started_at: &'s mut String,
    /// When it ended, RFC 3339.
    pub completed_at: &'s mut String,
}
