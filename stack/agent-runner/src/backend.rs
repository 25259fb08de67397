//! The server's API, as far as a runner needs it.

use std::time::Duration;

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
use stigmer_runner::{AuthorizedChannel, Server, ServerError};
use tonic::Code;

use crate::{
    report::{SinkError, StatusSink},
    skills::SkillSource,
};

/// How long a read is tried again while the server cannot be reached.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many executions of a session are read at a time, while they fit into one answer.
const PAGE: i32 = 64;

/// The services of the server.
#[derive(Clone, Debug)]
pub struct Backend(Server);

impl Backend {
    /// The services of `server`.
    pub fn new(server: Server) -> Self {
        Self(server)
    }

    /// A session by id.
    pub async fn session(&self, id: &str) -> Result<Session, ServerError> {
        let client = SessionQueryControllerClient::new(self.0.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = session::SessionId {
            value: id.to_owned(),
        };
        self.0
            .call(format!("get session {id:?}"), PATIENCE, || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.get(request).await }
            })
            .await
    }

    /// An agent instance by id.
    pub async fn agent_instance(&self, id: &str) -> Result<AgentInstance, ServerError> {
        let client = AgentInstanceQueryControllerClient::new(self.0.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = agent_instance::AgentInstanceId {
            value: id.to_owned(),
        };
        self.0
            .call(format!("get agent instance {id:?}"), PATIENCE, || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.get(request).await }
            })
            .await
    }

    /// An agent by id.
    pub async fn agent(&self, id: &str) -> Result<Agent, ServerError> {
        let client = AgentQueryControllerClient::new(self.0.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = agent::AgentId {
            value: id.to_owned(),
        };
        self.0
            .call(format!("get agent {id:?}"), PATIENCE, || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.get(request).await }
            })
            .await
    }

    /// All executions of a session.
    pub async fn session_executions(
        &self,
        session_id: &str,
    ) -> Result<Vec<AgentExecution>, ServerError> {
        let client = AgentExecutionQueryControllerClient::new(self.0.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let mut executions: Vec<AgentExecution> = Vec::new();
        let mut size = PAGE;
        loop {
            let request = ListAgentExecutionsBySessionRequest {
                session_id: session_id.to_owned(),
                page_size: size,
                page_token: executions.last().map_or("", |last| last.id()).to_owned(),
            };
            let what = format!("list the executions of session {session_id:?}");
            let call = || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.list_by_session(request).await }
            };
            match self.0.call(what, PATIENCE, call).await {
                Ok(page) => {
                    let last = page.entries.len() < size as usize;
                    executions.extend(page.entries);
                    if last {
                        return Ok(executions);
                    }
                }
                // Executions with long records: fewer of them fit into one answer.
                Err(error) if size > 1 && error.status.code() == Code::OutOfRange => size /= 2,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where the status of an execution goes.
    pub fn status_of(&self, execution_id: &str) -> ExecutionStatus {
        let client = AgentExecutionCommandControllerClient::new(self.0.channel())
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        ExecutionStatus {
            client,
            execution_id: execution_id.to_owned(),
        }
    }
}

impl SkillSource for Backend {
    async fn skill(&self, reference: &ApiResourceReference) -> Result<Skill, ServerError> {
        let client = SkillQueryControllerClient::new(self.0.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        self.0
            .call(format!("get skill {:?}", reference.slug), PATIENCE, || {
                let (mut client, request) = (client.clone(), reference.clone());
                async move { client.get_by_reference(request).await }
            })
            .await
    }

    async fn artifact(&self, key: &str) -> Result<Vec<u8>, ServerError> {
        let client = SkillQueryControllerClient::new(self.0.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = GetArtifactRequest {
            artifact_storage_key: key.to_owned(),
        };
        let call = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get_artifact(request).await }
        };
        let response = self
            .0
            .call(format!("get artifact {key:?}"), PATIENCE, call)
            .await?;
        Ok(response.artifact)
    }
}

/// The status of one execution on the server.
#[derive(Clone, Debug)]
pub struct ExecutionStatus {
    client: AgentExecutionCommandControllerClient<AuthorizedChannel>,
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
