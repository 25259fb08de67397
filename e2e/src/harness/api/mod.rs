//! The gRPC API as a test sees it: every call has a deadline and leaves a line in `grpc.jsonl`.

mod path;
mod raw;
mod watch;

use std::time::{Duration, Instant};

use prost_reflect::ReflectMessage;
use serde_json::{Value, json};
use stigmer_api::{
    ApiResourceId, ApiResourceOwnerScope, ApiResourceReference, LOCAL_ORG, MAX_MESSAGE_BYTES, Resource,
    agent_execution::{
        AgentExecution, AgentExecutionList, AgentExecutionStatus, AgentExecutionUpdateStatusInput, ExecutionPhase,
        ListAgentExecutionsBySessionRequest, ListAgentExecutionsRequest,
    },
    agent_instance::{AgentInstanceList, GetAgentInstancesByAgentRequest},
    json::to_json,
};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::Codec,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use super::{Journal, budget};

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
pub struct Api {
    channel: Channel,
    journal: Journal,
    deadline: Duration,
}

impl Api {
    /// A client of the server at `address` (`host:port`), which connects at the first call.
    ///
    /// # Panics
    ///
    /// When `address` is not an address; it comes from a ready file.
    pub(crate) fn new(address: &str, journal: Journal) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a ready file names an address");
        Self { channel: endpoint.connect_lazy(), journal, deadline: budget::CALL.limit }
    }

    /// The same client with another deadline per call.
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The resource `id`.
    pub async fn get<R: Resource>(&self, id: &str) -> Answer<R> {
        self.unary(path::query::<R>("get"), ApiResourceId { value: id.to_owned() }).await
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
        self.unary(path::query::<R>("getByReference"), reference).await
    }

    /// Creates `resource`.
    pub async fn create<R: Resource>(&self, resource: R) -> Answer<R> {
        self.unary(path::command::<R>("create"), resource).await
    }

    /// Creates whatever `message` encodes, for bytes that no [`Resource`] can hold.
    pub async fn create_bytes<R: Resource>(&self, message: Vec<u8>) -> Answer<R> {
        let recorded = json!({"bytes": message.len()});
        self.call(path::command::<R>("create"), recorded, message, raw::BytesCodec::<R>::default()).await
    }

    /// Creates or updates `resource`.
    pub async fn apply<R: Resource>(&self, resource: R) -> Answer<R> {
        self.unary(path::command::<R>("apply"), resource).await
    }

    /// Updates `resource`.
    pub async fn update<R: Resource>(&self, resource: R) -> Answer<R> {
        self.unary(path::command::<R>("update"), resource).await
    }

    /// Deletes the resource `id` and returns what it was.
    pub async fn delete<R: Resource>(&self, id: &str) -> Answer<R> {
        self.unary(path::command::<R>("delete"), ApiResourceId { value: id.to_owned() }).await
    }

    /// Every agent execution in `phase`; unspecified means all.
    pub async fn agent_executions(&self, phase: ExecutionPhase) -> Answer<Vec<AgentExecution>> {
        let request = ListAgentExecutionsRequest { phase: phase as i32, ..Default::default() };
        let list: AgentExecutionList = self.unary(path::query::<AgentExecution>("list"), request).await?;
        Ok(list.entries)
    }

    /// Every agent execution of a session.
    pub async fn agent_executions_of_session(&self, session_id: &str) -> Answer<Vec<AgentExecution>> {
        let request = ListAgentExecutionsBySessionRequest { session_id: session_id.to_owned(), ..Default::default() };
        let list: AgentExecutionList = self.unary(path::query::<AgentExecution>("listBySession"), request).await?;
        Ok(list.entries)
    }

    /// Every instance of an agent, and the total the server counted.
    pub async fn instances_of_agent(&self, agent_id: &str) -> Answer<AgentInstanceList> {
        let request = GetAgentInstancesByAgentRequest { agent_id: agent_id.to_owned(), page_info: None };
        self.unary(path::query::<stigmer_api::agent_instance::AgentInstance>("getByAgent"), request).await
    }

    /// Merges `status` into an agent execution, as a runner does.
    pub async fn update_status(&self, execution_id: &str, status: AgentExecutionStatus) -> Answer<AgentExecution> {
        let input = AgentExecutionUpdateStatusInput { execution_id: execution_id.to_owned(), status: Some(status) };
        self.unary(path::command::<AgentExecution>("updateStatus"), input).await
    }

    /// Subscribes to an execution.
    pub async fn subscribe<R: Resource>(&self, execution_id: &str) -> Answer<Watch<R>> {
        let method = path::query::<R>("subscribe");
        let start = Instant::now();
        let request = ApiResourceId { value: execution_id.to_owned() };
        let mut client = self.connect(&method).await?;
        let opened = client.server_streaming(Request::new(request), path_of(&method), ProstCodec::default());
        let opened = tokio::time::timeout(self.deadline, opened).await.unwrap_or_else(|_| Err(self.too_late()));
        match opened {
            Ok(response) => Ok(Watch::new(method, start, response.into_inner(), self.journal.clone())),
            Err(status) => Err(self.record_error(method, start, json!({"value": execution_id}), status)),
        }
    }

    async fn unary<Q, R>(&self, method: String, request: Q) -> Answer<R>
    where
        Q: ReflectMessage + 'static,
        R: ReflectMessage + Default + 'static,
    {
        let recorded = shortened(to_json(&request));
        self.call(method, recorded, request, ProstCodec::<Q, R>::default()).await
    }

    async fn call<Q, R, C>(&self, method: String, recorded: Value, request: Q, codec: C) -> Answer<R>
    where
        Q: Send + Sync + 'static,
        R: ReflectMessage + 'static,
        C: Codec<Encode = Q, Decode = R>,
    {
        let start = Instant::now();
        let mut client = self.connect(&method).await?;
        let mut request = Request::new(request);
        // The server learns the deadline, too, as it does from the CLI.
        request.set_timeout(self.deadline);
        let call = client.unary(request, path_of(&method), codec);
        let answer = tokio::time::timeout(self.deadline, call).await.unwrap_or_else(|_| Err(self.too_late()));
        match answer {
            Ok(response) => {
                let response = response.into_inner();
                self.journal.write(json!({
                    "method": method, "ms": millis(start), "request": recorded,
                    "response": shortened(to_json(&response)),
                }));
                Ok(response)
            }
            Err(status) => Err(self.record_error(method, start, recorded, status)),
        }
    }

    async fn connect(&self, method: &str) -> Answer<Grpc<Channel>> {
        let mut client = Grpc::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            // Requests above the limit must reach the server: refusing them is its job.
            .max_encoding_message_size(2 * MAX_MESSAGE_BYTES);
        let ready = tokio::time::timeout(self.deadline, client.ready()).await;
        let status = match ready {
            Ok(Ok(())) => return Ok(client),
            Ok(Err(error)) => Status::unavailable(super::with_causes(&error)),
            Err(_) => self.too_late(),
        };
        Err(CallError { method: method.to_owned(), status })
    }

    fn too_late(&self) -> Status {
        Status::deadline_exceeded(format!("no answer within {:?}", self.deadline))
    }

    fn record_error(&self, method: String, start: Instant, request: Value, status: Status) -> CallError {
        self.journal.write(json!({
            "method": method, "ms": millis(start), "request": request,
            "status": format!("{:?}", status.code()), "message": status.message(),
        }));
        CallError { method, status }
    }
}

fn path_of(method: &str) -> PathAndQuery {
    // Paths are built from descriptor names, which are identifiers and dots.
    method.parse().expect("a gRPC path")
}

fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// `value` with long texts cut, so that a test of large messages has a readable journal.
fn shortened(value: Value) -> Value {
    const LONGEST: usize = 4096;
    match value {
        Value::String(text) if text.len() > LONGEST => {
            let head = text.chars().take(200).collect::<String>();
            Value::String(format!("{head}… ({} bytes)", text.len()))
        }
        Value::Array(items) => items.into_iter().map(shortened).collect(),
        Value::Object(map) => map.into_iter().map(|(k, v)| (k, shortened(v))).collect(),
        other => other,
    }
}
