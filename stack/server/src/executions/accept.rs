//! Accepting an execution: it is stored and its workflow starts, or neither.

use std::sync::Arc;

use super::{Execution, Orchestrator, Phase, StartFailure, job::job, status};
use crate::{
    pipeline::{self, AtStep as _, Cause, StepError},
    state::State,
    store::Tx,
};

const STEP: &str = "StartWorkflow";

/// Stores a valid execution as PENDING and starts its workflow. Runs to its end even when the
/// caller goes away: what is stored must be started.
pub async fn accept<E: Execution>(state: &State, execution: E) -> Result<E, StepError> {
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

async fn store_and_start<E: Execution>(
    state: &State,
    orchestrator: Arc<dyn Orchestrator>,
    execution: E,
) -> Result<E, StepError> {
    let (accepted, job) = state
        .store
        .write(move |tx| {
            let accepted = pipeline::create(tx, execution)?;
            let job = job(tx, accepted.clone())?;
            Ok::<_, StepError>((accepted, job))
        })
        .await?;
    let failure = match orchestrator.start(job).await {
        Ok(()) => return Ok(accepted),
        Err(failure) => failure,
    };
    let id = accepted.id().to_owned();
    tracing::warn!(id, %failure, "the workflow of an execution did not start");
    match &failure {
        StartFailure::Refused(_) | StartFailure::TooLarge(_) => {
            state.store.write(move |tx| forget(tx, &accepted)).await?
        }
        StartFailure::Unknown(cause) => {
            state.abandoned.add(E::workflow_id(&id));
            status::end::<E>(&state.store, id, Phase::Failed, cause.clone()).await?;
        }
    }
    Err(match failure {
        StartFailure::TooLarge(cause) => Cause::Rejected(cause),
        StartFailure::Refused(cause) | StartFailure::Unknown(cause) => Cause::Internal(cause),
    })
    .at(STEP)
}

/// Removes an execution that never ran.
fn forget<E: Execution>(tx: &Tx<'_>, accepted: &E) -> Result<(), StepError> {
    tx.delete::<E>(accepted.id()).at(STEP)?;
    accepted.delete_companions(tx)
}
