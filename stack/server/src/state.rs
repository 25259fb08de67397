//! What requests work on.

use std::sync::Arc;

use stigmer_api::{agent_execution::AgentExecution, workflow_execution::WorkflowExecution};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    artifacts::Artifacts,
    executions::{Abandoned, Broker, Orchestrator},
    kinds::Kind,
    pipeline::{AtStep as _, StepError},
    store::{CommitObserver, Listing, Query, Store},
};

/// The connection to Temporal: absent while there is none.
pub type Connection = watch::Receiver<Option<Arc<dyn Orchestrator>>>;

/// Who watches executions; the store tells them of every commit.
#[derive(Clone, Default)]
pub struct Brokers {
    /// Of agents.
    pub agent_executions: Arc<Broker<AgentExecution>>,
    /// Of workflows.
    pub workflow_executions: Arc<Broker<WorkflowExecution>>,
}

impl Brokers {
    /// What the store has to tell.
    pub fn observers(&self) -> Vec<Arc<dyn CommitObserver>> {
        vec![
            self.agent_executions.clone(),
            self.workflow_executions.clone(),
        ]
    }
}

/// The parts that requests share. Clones are the same state.
#[derive(Clone)]
pub struct State {
    /// Where resources are.
    pub store: Store,
    /// Where artefacts are.
    pub artifacts: Artifacts,
    /// Who watches executions.
    pub brokers: Brokers,
    /// Executions whose workflows must not go on.
    pub abandoned: Arc<Abandoned>,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
    connection: Connection,
}

impl State {
    /// A state over `store`, whose commits `brokers` must observe.
    pub fn new(
        store: Store,
        artifacts: Artifacts,
        brokers: Brokers,
        connection: Connection,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            store,
            artifacts,
            brokers,
            abandoned: Arc::default(),
            stopping,
            connection,
        }
    }

    /// Temporal, if it is connected now.
    pub fn orchestrator(&self) -> Option<Arc<dyn Orchestrator>> {
        self.connection.borrow().clone()
    }

    /// Follows the connection to Temporal.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// A page of the resources that match.
    pub async fn list<K: Kind>(&self, query: Query) -> Result<Listing<K>, StepError> {
        self.store
            .read(move |rows| rows.list(&query).at("List"))
            .await
    }
}
