//! The gRPC API as a test sees it: every call has a deadline and leaves a line in `grpc.jsonl`.

mod acknowledged;
mod call;
pub(super) mod dynamic;
mod path;
mod raw;
mod skills;
mod watch;
mod workflows;

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use stigmer_api::{
    ApiResourceId, ApiResourceOwnerScope, ApiResourceReference, LOCAL_ORG, Resource,
    agent_execution::{
        AgentExecution, AgentExecutionList, AgentExecutionStatus, AgentExecutionUpdateStatusInput,
        ExecutionPhase, ListAgentExecutionsBySessionRequest, ListAgentExecutionsRequest,
    },
    agent_instance::{AgentInstance, AgentInstanceList, GetAgentInstancesByAgentRequest},
};
use tonic::{Status, transport::Endpoint};

use super::{Journal, budget};

pub(super) use acknowledged::Acknowledged;
use acknowledged::Ledger;
use call::Caller;
pub use watch::{Snapshot, Watch};

/// A call that was answered with an error status.
#[derive(Debug, thiserror::Error)]
#[error("{method} answered {:?}: {}", status.code(), status.message())]
pub struct CallError {
    /// The gRPC path.
    pub method: String,
    /// The answer.
    pub status: Status,
}

impl CallError {
    /// The gRPC status code.
    pub fn code(&self) -> tonic::Code {
        self.status.code()
    }
}

/// Result of a call.
pub type Answer<T> = Result<T, CallError>;

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Api(Caller);

impl Api {
    /// A client of the server at `address` (`host:port`), which connects at the first call.
    ///
    /// # Panics
    ///
    /// When `address` is not an address; it comes from a ready file.
    pub(crate) fn new(address: &str, journal: Journal) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .expect("a ready file names an address");
        Self(Caller {
            channel: endpoint.connect_lazy(),
            journal,
            deadline: budget::CALL.limit,
            acknowledged: Ledger::default(),
        })
    }

    /// What the server said it had taken, and not deleted since.
    pub(super) fn acknowledged(&self) -> BTreeSet<Acknowledged> {
        self.0.acknowledged.all()
    }

    /// The same client with another deadline per call.
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self(Caller {
            deadline,
            ..self.0.clone()
        })
    }

    /// The resource `id`.
    pub async fn get<R: Resource>(&self, id: &str) -> Answer<R> {
        self.0
            .unary(
                path::query::<R>("get"),
                ApiResourceId {
                    value: id.to_owned(),
                },
            )
            .await
    }

    /// The resource with `slug` in org `local`.
    pub async fn by_slug<R: Resource>(&self, slug: &str) -> Answer<R> {
        let reference = ApiResourceReference {
            scope: ApiResourceOwnerScope::Organization as i32,
            org: LOCAL_ORG.to_owned(),
            kind: R::KIND as i32,
            slug: slug.to_owned(),
            version: String::new(),
        };
        self.0
            .unary(path::query::<R>("getByReference"), reference)
            .await
    }

    /// Creates `resource`.
    pub async fn create<R: Resource>(&self, resource: R) -> Answer<R> {
        self.0.unary(path::command::<R>("create"), resource).await
    }

    /// Creates whatever `message` encodes, for bytes that no [`Resource`] can hold.
    pub async fn create_bytes<R: Resource>(&self, message: Vec<u8>) -> Answer<R> {
        let recorded = json!({"bytes": message.len()});
        self.0
            .call(
                path::command::<R>("create"),
                recorded,
                message,
                raw::BytesCodec::<R>::default(),
            )
            .await
    }

    /// Creates or updates `resource`.
    pub async fn apply<R: Resource>(&self, resource: R) -> Answer<R> {
        self.0.unary(path::command::<R>("apply"), resource).await
    }

    /// Updates `resource`.
    pub async fn update<R: Resource>(&self, resource: R) -> Answer<R> {
        self.0.unary(path::command::<R>("update"), resource).await
    }

    /// Deletes the resource `id` and returns what it was.
    pub async fn delete<R: Resource>(&self, id: &str) -> Answer<R> {
        self.0
            .unary(
                path::command::<R>("delete"),
                ApiResourceId {
                    value: id.to_owned(),
                },
            )
            .await
    }

    /// Every agent execution in `phase`; unspecified means all.
    pub async fn agent_executions(&self, phase: ExecutionPhase) -> Answer<Vec<AgentExecution>> {
        let request = ListAgentExecutionsRequest {
            phase: phase as i32,
            ..Default::default()
        };
        let list: AgentExecutionList = self
            .0
            .unary(path::query::<AgentExecution>("list"), request)
            .await?;
        Ok(list.entries)
    }

    /// Every agent execution of a session.
    pub async fn agent_executions_of_session(
        &self,
        session_id: &str,
    ) -> Answer<Vec<AgentExecution>> {
        let request = ListAgentExecutionsBySessionRequest {
            session_id: session_id.to_owned(),
            ..Default::default()
        };
        let list: AgentExecutionList = self
            .0
            .unary(path::query::<AgentExecution>("listBySession"), request)
            .await?;
        Ok(list.entries)
    }

    /// Every instance of an agent, and the total the server counted.
    pub async fn instances_of_agent(&self, agent_id: &str) -> Answer<AgentInstanceList> {
        let request = GetAgentInstancesByAgentRequest {
            agent_id: agent_id.to_owned(),
            page_info: None,
        };
        self.0
            .unary(path::query::<AgentInstance>("getByAgent"), request)
            .await
    }

    /// Merges `status` into an agent execution, as a runner does.
    pub async fn update_status(
        &self,
        execution_id: &str,
        status: AgentExecutionStatus,
    ) -> Answer<AgentExecution> {
        let input = AgentExecutionUpdateStatusInput {
            execution_id: execution_id.to_owned(),
            status: Some(status),
        };
        self.0
            .unary(path::command::<AgentExecution>("updateStatus"), input)
            .await
    }

    /// Subscribes to an execution, for as long as the server likes.
    pub async fn subscribe<R: Resource>(&self, execution_id: &str) -> Answer<Watch<R>> {
        self.0
            .subscribe(path::query::<R>("subscribe"), execution_id, None)
            .await
    }

    /// Subscribes to an execution with the deadline per call for the whole stream.
    pub async fn subscribe_within<R: Resource>(&self, execution_id: &str) -> Answer<Watch<R>> {
        let whole = Some(self.0.deadline);
        self.0
            .subscribe(path::query::<R>("subscribe"), execution_id, whole)
            .await
    }
}
