//! What executions need of Temporal.

use stigmer_api::{
    agent_execution::AgentExecution,
    workflow::{WorkflowSpec, serverless::ServerlessWorkflowValidation},
    workflow_execution::WorkflowExecution,
};

/// Starts and follows the workflow behind an execution, of which there is at most one run, and has
/// specs of workflows validated.
#[tonic::async_trait]
pub trait Orchestrator: Send + Sync + 'static {
    /// Starts the workflow; one that was started before is fine.
    async fn start(&self, job: Job) -> Result<(), StartFailure>;

    /// What became of the workflow.
    async fn state(&self, workflow_id: &str) -> Result<RunState, LookupError>;

    /// Asks the workflow to end, and so the runner to end its work. One that has ended or never began
    /// is fine.
    async fn cancel(&self, workflow_id: &str, reason: &str) -> Result<(), LookupError>;

    /// Has a worker of `queue`, the server's own or a runner's, answer a ping.
    async fn ping(&self, queue: &str) -> Result<(), LookupError>;

    /// Has the workflow-runner say whether a spec can run.
    async fn validate(
        &self,
        spec: WorkflowSpec,
    ) -> Result<ServerlessWorkflowValidation, ValidationFailure>;
}

/// What a workflow is started for.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// An agent execution.
    Agent(AgentExecution),
    /// A workflow execution.
    Workflow(WorkflowExecution),
}

/// The workflow was not started, or nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartFailure {
    /// It certainly does not run.
    #[error("{0}")]
    Refused(String),
    /// It certainly does not run, being larger than Temporal takes.
    #[error("{0}")]
    TooLarge(String),
    /// The answer was lost: it may run.
    #[error("{0}")]
    Unknown(String),
}

/// A spec was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidationFailure {
    /// Nobody can look at it at the moment.
    #[error("{0}")]
    Unavailable(String),
    /// It is larger than Temporal takes.
    #[error("{0}")]
    TooLarge(String),
    /// Whoever looked at it broke.
    #[error("{0}")]
    Failed(String),
}

/// Temporal cannot tell at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LookupError(pub String);

/// What became of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It runs.
    Running,
    /// It does not run.
    Gone(Gone),
}

/// Why a workflow does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Temporal does not know it.
    Unknown,
    /// It ended by itself.
    Closed,
    /// It ran out of time.
    TimedOut,
    /// Somebody ended it.
    Cancelled,
}
