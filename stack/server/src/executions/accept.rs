//! Accepting an execution: it is stored and its workflow starts, or neither.

use std::sync::Arc;

use stigmer_api::{Resource, agent_execution::AgentExecution, session::Session};

use super::{Orchestrator, Phase, StartFailure, status};
use crate::{
    mask::Outgoing as _,
    pipeline::{self, AtStep as _, Cause, StepError},
    state::State,
    store::Store,
};

const STEP: &str = "StartWorkflow";

/// Stores a valid execution as PENDING and starts its workflow. Runs to its end even when the
/// caller goes away: what is stored must be started.
pub async fn accept(state: &State, execution: AgentExecution) -> Result<AgentExecution, StepError> {
    let Some(orchestrator) = state.orchestrator() else {
        let cause = "Temporal is not connected, so nothing can run; try again once it is (the server reconnects by itself)";
        return Err(Cause::Unavailable(cause.to_owned())).at(STEP);
    };
    let state = state.clone();
    tokio::spawn(async move { store_and_start(&state, orchestrator, execution).await })
        .await
        .map_err(|error| Cause::Internal(error.to_string()))
        .at(STEP)?
}

async fn store_and_start(
    state: &State,
    orchestrator: Arc<dyn Orchestrator>,
    execution: AgentExecution,
) -> Result<AgentExecution, StepError> {
    let asked_for_session = session_of(&execution).to_owned();
    let accepted = state
        .store
        .write(move |tx| pipeline::create(tx, execution))
        .await?;
    let failure = match orchestrator.start(&accepted.clone().masked()).await {
        Ok(()) => return Ok(accepted),
        Err(failure) => failure,
    };
    tracing::warn!(id = accepted.id(), %failure, "the workflow of an execution did not start");
    let id = accepted.id().to_owned();
    match &failure {
        StartFailure::Refused(_) => {
            let own_session = asked_for_session
                .is_empty()
                .then(|| session_of(&accepted).to_owned());
            forget(&state.store, id, own_session).await?;
        }
        StartFailure::Unknown(cause) => {
            state.abandoned.add(&id);
            status::end::<AgentExecution>(&state.store, id, Phase::Failed, cause.clone()).await?;
        }
    }
    Err(Cause::Internal(failure.to_string())).at(STEP)
}

/// Removes an execution that never ran, and the session that was made for it.
async fn forget(store: &Store, id: String, own_session: Option<String>) -> Result<(), StepError> {
    store
        .write(move |tx| {
            tx.delete::<AgentExecution>(&id).at(STEP)?;
            own_session.map_or(Ok(()), |session| tx.delete::<Session>(&session).at(STEP))
        })
        .await
}

fn session_of(execution: &AgentExecution) -> &str {
    execution.spec.as_ref().map_or("", |spec| &spec.session_id)
}
