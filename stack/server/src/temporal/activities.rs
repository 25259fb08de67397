//! What the workflows of executions do in the server's store.

use std::sync::Arc;

use stigmer_api::{
    agent_execution::{AgentExecution, AgentExecutionStatus},
    temporal_names::activity,
    workflow_execution::{WorkflowExecution, WorkflowExecutionStatus},
};
use stigmer_temporal::Proto;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::callback::Outcome;
use crate::{executions, store::Store};

/// Of agent executions.
pub struct AgentExecutionActivities {
    pub store: Store,
}

/// Of workflow executions.
pub struct WorkflowExecutionActivities {
    pub store: Store,
}

#[activities]
impl AgentExecutionActivities {
    /// Writes the status that the workflow is left with, unless the runner reported the end, and
    /// tells how the execution ended.
    #[activity(name = activity::UPDATE_EXECUTION_STATUS)]
    pub async fn update_execution_status(
        self: Arc<Self>,
        _ctx: ActivityContext,
        execution_id: String,
        status: Proto<AgentExecutionStatus>,
    ) -> Result<Outcome, ActivityError> {
        let stored =
            executions::conclude::<AgentExecution>(&self.store, execution_id, status.0).await?;
        Ok(stored.map_or_else(
            || Outcome::Failed("the execution was deleted".to_owned()),
            Outcome::of,
        ))
    }
}

#[activities]
impl WorkflowExecutionActivities {
    /// Writes the status that the workflow is left with, unless the runner reported the end.
    #[activity(name = activity::UPDATE_EXECUTION_STATUS)]
    pub async fn update_execution_status(
        self: Arc<Self>,
        _ctx: ActivityContext,
        execution_id: String,
        status: Proto<WorkflowExecutionStatus>,
    ) -> Result<(), ActivityError> {
        executions::conclude::<WorkflowExecution>(&self.store, execution_id, status.0).await?;
        Ok(())
    }
}
