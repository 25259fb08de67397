//! The requests that executions of agents and of workflows have in common.

use prost_reflect::ReflectMessage;
use stigmer_api::{
    ApiResourceId, Resource as _,
    agent_execution::{AgentExecution, AgentExecutionStatus, AgentExecutionUpdateStatusInput},
    id,
    workflow_execution::{
        WorkflowExecution, WorkflowExecutionStatus, WorkflowExecutionUpdateStatusInput,
    },
};
use tonic::Status;

use crate::{
    executions::{self, Execution, Phase, Subscription},
    pipeline::{Cause, StepError, steps},
    requests::{self, Target},
    state::State,
};

/// A status that somebody reports.
pub trait Report: ReflectMessage {
    /// What it is about.
    type Execution: Execution;

    /// The id of the execution, and the status.
    fn into_parts(self) -> (String, <Self::Execution as Execution>::Status);
}

macro_rules! reports {
    ($($input:ident: $status:ident of $execution:ident;)*) => {$(
        impl Report for $input {
            type Execution = $execution;

            fn into_parts(self) -> (String, $status) {
                (self.execution_id, self.status.unwrap_or_default())
            }
        }
    )*};
}

reports! {
    AgentExecutionUpdateStatusInput: AgentExecutionStatus of AgentExecution;
    WorkflowExecutionUpdateStatusInput: WorkflowExecutionStatus of WorkflowExecution;
}

/// Accepts an execution, see [`executions::accept`].
pub async fn create<E: Execution>(state: &State, execution: E) -> Result<E, StepError> {
    steps::validate_constraints(&execution)?;
    steps::validate_kind(&execution)?;
    executions::accept(state, execution).await
}

/// Merges a reported status. An execution that becomes CANCELLED has its workflow cancelled, and so
/// the work of its runner.
pub async fn update_status<R: Report>(state: &State, input: R) -> Result<R::Execution, StepError> {
    steps::validate_constraints(&input)?;
    let (id, status) = input.into_parts();
    let reported =
        executions::update_status::<R::Execution>(&state.store, id.clone(), status).await;
    let unwanted = match &reported {
        Ok(execution) => execution.current_phase() == Phase::Cancelled,
        // A runner at work on what was cancelled or deleted: the request to end it got lost.
        Err(error) => match error.cause {
            Cause::NotFound { .. } => id::is_id(R::Execution::KIND, &id),
            Cause::Precondition(_) => is_cancelled::<R::Execution>(state, &id).await?,
            _ => false,
        },
    };
    stigmer_fault::inject!(CancelIgnored, { return reported });
    if unwanted {
        state.abandoned.add(R::Execution::workflow_id(&id));
    }
    reported
}

async fn is_cancelled<E: Execution>(state: &State, id: &str) -> Result<bool, StepError> {
    let id = id.to_owned();
    let stored: Option<E> = state.store.read(move |rows| rows.load(&id)).await?;
    Ok(stored.is_some_and(|execution| execution.current_phase() == Phase::Cancelled))
}

/// Deletes an execution; its workflow is cancelled if it still runs.
pub async fn delete<E: Execution>(state: &State, input: ApiResourceId) -> Result<E, StepError> {
    let deleted: E = requests::delete(state, input).await?;
    if !deleted.current_phase().is_terminal() {
        state.abandoned.add(E::workflow_id(deleted.id()));
    }
    Ok(deleted)
}

/// Subscribes to an execution, see [`executions::subscribe`].
pub async fn subscribe<E: Execution>(
    state: &State,
    input: impl Target,
) -> Result<Subscription<E>, Status> {
    steps::validate_constraints(&input)?;
    let stopping = state.stopping.clone();
    let broker = E::broker(&state.brokers);
    Ok(executions::subscribe(&state.store, broker, input.into_id(), stopping).await?)
}
