//! Compares executions with their workflows, so that none waits for a workflow that is gone: after a
//! crash between storing and starting, after Temporal lost its history, after a workflow was ended
//! from outside.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use stigmer_api::{agent_execution::AgentExecution, workflow_execution::WorkflowExecution};
use tokio::{sync::Notify, time};

use super::{Execution, Gone, Orchestrator, Phase, RunState, StartFailure, job::job, status};
use crate::{
    pipeline::{Cause, StepError},
    state::State,
    store::{Page, Query, Start},
};

/// How often all unfinished executions are compared while Temporal is connected.
const PERIOD: Duration = Duration::from_secs(30);

/// A PENDING execution younger than this is started when its workflow is missing; an older one has
/// been given up by whoever waited for it.
const FRESH: Duration = Duration::from_secs(600);

/// How many rows are read at a time.
const PAGE: u32 = 100;

/// Workflows that may still run although their execution is deleted or ended.
#[derive(Default)]
pub struct Abandoned {
    workflow_ids: Mutex<BTreeSet<String>>,
    added: Notify,
}

impl Abandoned {
    /// Has the workflow with this id cancelled, now or once Temporal is back.
    pub fn add(&self, workflow_id: String) {
        self.locked().insert(workflow_id);
        self.added.notify_one();
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        // A set of texts is whole whatever panicked around it.
        self.workflow_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sweeps and cancels until the server stops, neither waiting for the other.
pub async fn keep_sweeping(state: State) {
    tokio::join!(sweep_often(&state), cancel_at_once(&state));
}

/// Sweeps on every connection to Temporal, then every [`PERIOD`].
async fn sweep_often(state: &State) {
    let mut connection = state.connection();
    let mut period = time::interval(PERIOD);
    period.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = state.stopping.cancelled() => return,
            _ = period.tick() => {}
            changed = connection.changed() => if changed.is_err() { return },
        }
        let orchestrator = connection.borrow_and_update().clone();
        if let Some(orchestrator) = orchestrator {
            sweep::<AgentExecution>(state, orchestrator.as_ref()).await;
            sweep::<WorkflowExecution>(state, orchestrator.as_ref()).await;
        }
    }
}

/// Cancels what is abandoned: at once, on every connection to Temporal, and every [`PERIOD`].
async fn cancel_at_once(state: &State) {
    let mut connection = state.connection();
    let mut period = time::interval(PERIOD);
    period.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = state.stopping.cancelled() => return,
            _ = period.tick() => {}
            () = state.abandoned.added.notified() => {}
            changed = connection.changed() => if changed.is_err() { return },
        }
        let orchestrator = connection.borrow_and_update().clone();
        if let Some(orchestrator) = orchestrator {
            cancel_abandoned(state, orchestrator.as_ref()).await;
        }
    }
}

async fn cancel_abandoned(state: &State, orchestrator: &dyn Orchestrator) {
    let ids = state.abandoned.locked().clone();
    for id in ids {
        match orchestrator
            .cancel(
                &id,
                "the execution was cancelled, deleted, or could not be started",
            )
            .await
        {
            Ok(()) => {
                state.abandoned.locked().remove(&id);
            }
            Err(error) => {
                tracing::warn!(id, %error, "an abandoned workflow was not cancelled; trying again later")
            }
        }
    }
}

/// Goes through the unfinished executions once. What cannot be told now is left for the next time.
pub(super) async fn sweep<E: Execution>(state: &State, orchestrator: &dyn Orchestrator) {
    let mut last = String::new();
    loop {
        let query = Query {
            phases: Phase::unfinished(),
            page: Page {
                start: Start::After(last.clone()),
                size: PAGE,
            },
            ..Query::default()
        };
        let page = match state.list::<E>(query).await {
            Ok(page) => page.rows,
            Err(error) => return tracing::error!(%error, "unfinished executions cannot be read"),
        };
        let Some(end) = page.last() else { return };
        end.id().clone_into(&mut last);
        for execution in page {
            if state.stopping.is_cancelled() {
                return;
            }
            reconcile(state, orchestrator, execution).await;
        }
    }
}

async fn reconcile<E: Execution>(state: &State, orchestrator: &dyn Orchestrator, execution: E) {
    let id = execution.id().to_owned();
    let gone = match orchestrator.state(&E::workflow_id(&id)).await {
        Ok(RunState::Running) => return,
        Ok(RunState::Gone(gone)) => gone,
        Err(error) => {
            return tracing::warn!(id, %error, "the workflow of an execution cannot be looked up");
        }
    };
    let (phase, cause) = match gone {
        Gone::Unknown if execution.current_phase() <= Phase::Pending && age(&execution) < FRESH => {
            match start_again(state, orchestrator, execution).await {
                Ok(()) => return,
                Err(cause) => (Phase::Failed, cause),
            }
        }
        Gone::Unknown => (
            Phase::Failed,
            "Temporal has no workflow for this execution, its history is lost".to_owned(),
        ),
        Gone::Closed => (
            Phase::Failed,
            "the workflow of this execution ended without saying how the execution did".to_owned(),
        ),
        Gone::TimedOut => (
            Phase::Failed,
            "the workflow of this execution took too long and was ended by Temporal".to_owned(),
        ),
        Gone::Cancelled => (
            Phase::Cancelled,
            "the workflow of this execution was cancelled or terminated".to_owned(),
        ),
    };
    match status::end::<E>(&state.store, id.clone(), phase, cause.clone()).await {
        Ok(true) => tracing::warn!(id, cause, "ended an execution whose workflow is gone"),
        Ok(false) => {}
        Err(error) => {
            tracing::error!(id, %error, "an execution whose workflow is gone cannot be ended")
        }
    }
}

/// Starts the workflow of an execution that has none. What cannot be done now is left for the next
/// time.
///
/// # Errors
///
/// Why it can never be started.
async fn start_again<E: Execution>(
    state: &State,
    orchestrator: &dyn Orchestrator,
    execution: E,
) -> Result<(), String> {
    let id = execution.id().to_owned();
    tracing::info!(id, "starting the workflow of an execution that has none");
    let job = state.store.read(move |rows| job(rows, execution)).await;
    let job = match job {
        Ok(job) => job,
        Err(StepError {
            cause: Cause::Precondition(cause),
            ..
        }) => return Err(cause),
        Err(error) => {
            tracing::error!(id, %error, "an execution cannot be made ready to start");
            return Ok(());
        }
    };
    match orchestrator.start(job).await {
        Err(StartFailure::Refused(cause) | StartFailure::TooLarge(cause)) => return Err(cause),
        Err(StartFailure::Unknown(cause)) => {
            tracing::warn!(id, cause, "not known to be started; looking again later");
        }
        Ok(()) => {}
    }
    Ok(())
}

fn age<E: Execution>(execution: &E) -> Duration {
    let created_at = execution
        .audit()
        .and_then(|audit| audit.spec_audit.as_ref()?.created_at.as_ref())
        .map_or(0, |time| time.seconds);
    let now = stigmer_api::time::timestamp_now().seconds;
    Duration::from_secs(u64::try_from(now - created_at).unwrap_or(0))
}
