//! Every workflow of the server, for replaying what an earlier build began.

use stigmer_temporal::{Ping, Replayer};

use super::{
    agent_execution::RunAgentExecution, validation::ValidateWorkflow,
    workflow_execution::RunWorkflowExecution,
};

/// The workflows that [`super::Supervisor`] has its workers run.
pub fn replayer() -> Replayer {
    Replayer::default()
        .with_workflow::<Ping>()
        .with_workflow::<RunAgentExecution>()
        .with_workflow::<RunWorkflowExecution>()
        .with_workflow::<ValidateWorkflow>()
}
