//! The server's API, as far as a runner needs it.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use stigmer_api::{
    ApiResourceReference, MAX_MESSAGE_BYTES, Resource as _,
    agent::{self, Agent, agent_query_controller_client::AgentQueryControllerClient},
    agent_execution::{
        AgentExecution, AgentExecutionStatus, AgentExecutionUpdateStatusInput,
        ListAgentExecutionsBySessionRequest,
        agent_execution_command_controller_client::AgentExecutionCommandControllerClient,
        agent_execution_query_controller_client::AgentExecutionQueryControllerClient,
    },
    agent_instance::{
        self, AgentInstance,
        agent_instance_query_controller_client::AgentInstanceQueryControllerClient,
    },
    session::{self, Session, session_query_controller_client::SessionQueryControllerClient},
    skill::{GetArtifactRequest, Skill, skill_query_controller_client::SkillQueryControllerClient},
};
use tokio::time::Instant;
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::{
    report::{SinkError, StatusSink},
    settings::BackendSettings,
    skills::SkillSource,
};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// How long a read is tried again while the server cannot be reached.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many executions of a session are read at a time: with all their messages they have to fit
/// into one answer.
const PAGE: i32 = 50;

/// A client of the server; it connects when first used, and again when the connection breaks.
#[derive(Clone, Debug)]
pub struct Backend {
    address: Arc<str>,
    channel: InterceptedService<Channel, Bearer>,
}

/// The server did not give what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what} at the stigmer-server {address}: {:?}: {}", .status.code(), .status.message())]
pub struct BackendError {
    /// What was asked, such as `get session "ses-…"`.
    pub what: String,
    /// The server's address.
    pub address: Arc<str>,
    /// What it answered.
    pub status: Box<Status>,
}

#[derive(Clone, Debug)]
struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl Backend {
    /// A client of the server in the settings. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the address or key cannot be used, which the settings rule out.
    pub fn new(settings: &BackendSettings) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{}", settings.address))?
            .connect_timeout(Duration::from_secs(2))
            .timeout(CALL)
            .tcp_nodelay(true)
            .connect_lazy();
        let bearer = Bearer(format!("Bearer {}", settings.api_key).parse()?);
        Ok(Self {
            address: settings.address.as_str().into(),
            channel: InterceptedService::new(channel, bearer),
        })
    }

    /// A session by id.
    pub async fn session(&self, id: &str) -> Result<Session, BackendError> {
        let client = SessionQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = session::SessionId {
            value: id.to_owned(),
        };
        self.read(format!("get session {id:?}"), || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get(request).await }
        })
        .await
    }

    /// An agent instance by id.
    pub async fn agent_instance(&self, id: &str) -> Result<AgentInstance, BackendError> {
        let client = AgentInstanceQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = agent_instance::AgentInstanceId {
            value: id.to_owned(),
        };
        self.read(format!("get agent instance {id:?}"), || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get(request).await }
        })
        .await
    }

    /// An agent by id.
    pub async fn agent(&self, id: &str) -> Result<Agent, BackendError> {
        let client = AgentQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = agent::AgentId {
            value: id.to_owned(),
        };
        self.read(format!("get agent {id:?}"), || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get(request).await }
        })
        .await
    }

    /// All executions of a session.
    pub async fn session_executions(
        &self,
        session_id: &str,
    ) -> Result<Vec<AgentExecution>, BackendError> {
        let client = AgentExecutionQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let mut executions: Vec<AgentExecution> = Vec::new();
        loop {
            let request = ListAgentExecutionsBySessionRequest {
                session_id: session_id.to_owned(),
                page_size: PAGE,
                page_token: executions.last().map_or("", |last| last.id()).to_owned(),
            };
            let what = format!("list the executions of session {session_id:?}");
            let call = || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.list_by_session(request).await }
            };
            let page = self.read(what, call).await?.entries;
            let last = page.len() < PAGE as usize;
            executions.extend(page);
            if last {
                return Ok(executions);
            }
        }
    }

    /// Where the status of an execution goes.
    pub fn status_of(&self, execution_id: &str) -> ExecutionStatus {
        let client = AgentExecutionCommandControllerClient::new(self.channel.clone())
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        ExecutionStatus {
            client,
            execution_id: execution_id.to_owned(),
        }
    }

    /// Calls, and calls again while the server cannot be reached.
    async fn read<T, F>(&self, what: String, call: impl Fn() -> F) -> Result<T, BackendError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let end = Instant::now() + PATIENCE;
        let backoff = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_secs(1))
            .with_jitter()
            .without_max_times();
        call.retry(backoff)
            .when(|status| status.code() == Code::Unavailable && Instant::now() < end)
            .await
            .map(Response::into_inner)
            .map_err(|status| BackendError {
                what,
                address: self.address.clone(),
                status: Box::new(status),
            })
    }
}

impl SkillSource for Backend {
    async fn skill(&self, reference: &ApiResourceReference) -> Result<Skill, BackendError> {
        let client = SkillQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        self.read(format!("get skill {:?}", reference.slug), || {
            let (mut client, request) = (client.clone(), reference.clone());
            async move { client.get_by_reference(request).await }
        })
        .await
    }

    async fn artifact(&self, key: &str) -> Result<Vec<u8>, BackendError> {
        let client = SkillQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = GetArtifactRequest {
            artifact_storage_key: key.to_owned(),
        };
        let call = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get_artifact(request).await }
        };
        let response = self.read(format!("get artifact {key:?}"), call).await?;
        Ok(response.artifact)
    }
}

/// The status of one execution on the server.
#[derive(Clone, Debug)]
pub struct ExecutionStatus {
    client: AgentExecutionCommandControllerClient<InterceptedService<Channel, Bearer>>,
    execution_id: String,
}

impl StatusSink for ExecutionStatus {
    async fn store(&self, status: AgentExecutionStatus) -> Result<(), SinkError> {
        let request = AgentExecutionUpdateStatusInput {
            execution_id: self.execution_id.clone(),
            status: Some(status),
        };
        let Err(status) = self.client.clone().update_status(request).await else {
            return Ok(());
        };
        let cause = format!(
            "updateStatus of {}: {:?}: {}",
            self.execution_id,
            status.code(),
            status.message()
        );
        Err(match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Aborted | Code::Cancelled => {
                SinkError::Unavailable(cause)
            }
            Code::NotFound | Code::FailedPrecondition => SinkError::Over(cause),
            _ => SinkError::Refused(cause),
        })
    }
}
