//! The server's API, as far as this runner needs it.

use std::time::Duration;

use stigmer_api::{
    ApiResourceKind, ApiResourceOwnerScope, ApiResourceReference, MAX_MESSAGE_BYTES,
    agent::{Agent, agent_query_controller_client::AgentQueryControllerClient},
    agent_execution::{
        AgentExecution,
        agent_execution_command_controller_client::AgentExecutionCommandControllerClient,
    },
    slug,
    workflow::{self, Workflow, workflow_query_controller_client::WorkflowQueryControllerClient},
    workflow_execution::{
        WorkflowExecutionStatus, WorkflowExecutionUpdateStatusInput,
        workflow_execution_command_controller_client::WorkflowExecutionCommandControllerClient,
    },
    workflow_instance::{
        self, WorkflowInstance,
        workflow_instance_query_controller_client::WorkflowInstanceQueryControllerClient,
    },
};
use stigmer_runner::{AuthorizedChannel, Server, ServerError};
use tonic::{Code, Status};

/// How long a report on the way may take: it holds up the workflow it is about.
const REPORT: Duration = Duration::from_secs(2);

/// How long a call is tried again while the server cannot be reached.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the end of an execution is tried to be written.
const LAST_WORD: Duration = Duration::from_secs(120);

/// What this runner asks of the server.
#[derive(Clone, Debug)]
pub struct Backend {
    server: Server,
}

impl Backend {
    /// Asks `server`.
    pub fn new(server: Server) -> Self {
        Self { server }
    }

    /// A workflow by id.
    pub async fn workflow(&self, id: &str) -> Result<Workflow, ServerError> {
        let request = workflow::WorkflowId {
            value: id.to_owned(),
        };
        let client = self.workflows();
        self.server
            .call(format!("get workflow {id:?}"), PATIENCE, || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.get(request).await }
            })
            .await
    }

    /// A workflow by its name or slug, within an org.
    pub async fn workflow_by_name(&self, name: &str, org: &str) -> Result<Workflow, ServerError> {
        let reference = ApiResourceReference {
            scope: ApiResourceOwnerScope::Unspecified as i32,
            org: org.to_owned(),
            kind: ApiResourceKind::Workflow as i32,
            slug: slug::from_name(name),
            version: String::new(),
        };
        let client = self.workflows();
        self.server
            .call(
                format!("get workflow {name:?} by reference"),
                PATIENCE,
                || {
                    let (mut client, reference) = (client.clone(), reference.clone());
                    async move { client.get_by_reference(reference).await }
                },
            )
            .await
    }

    /// A workflow instance by id.
    pub async fn workflow_instance(&self, id: &str) -> Result<WorkflowInstance, ServerError> {
        let request = workflow_instance::WorkflowInstanceId {
            value: id.to_owned(),
        };
        let client = WorkflowInstanceQueryControllerClient::new(self.server.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        self.server
            .call(format!("get workflow instance {id:?}"), PATIENCE, || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.get(request).await }
            })
            .await
    }

    /// An agent by reference.
    pub async fn agent_by_reference(
        &self,
        reference: ApiResourceReference,
    ) -> Result<Agent, ServerError> {
        let client = AgentQueryControllerClient::new(self.server.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        self.server
            .call(
                format!("get agent {:?} by reference", reference.slug),
                PATIENCE,
                || {
                    let (mut client, reference) = (client.clone(), reference.clone());
                    async move { client.get_by_reference(reference).await }
                },
            )
            .await
    }

    /// Creates an agent execution. One of this name that exists is the one of an earlier attempt.
    pub async fn create_agent_execution(
        &self,
        execution: AgentExecution,
    ) -> Result<(), ServerError> {
        let client = AgentExecutionCommandControllerClient::new(self.server.channel())
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let created = self
            .server
            .call("create an agent execution".to_owned(), PATIENCE, || {
                let (mut client, execution) = (client.clone(), execution.clone());
                async move { client.create(execution).await }
            })
            .await;
        match created {
            Err(error) if error.status.code() == Code::AlreadyExists => Ok(()),
            created => created.map(drop),
        }
    }

    /// Writes the status of a workflow execution, for as long as it takes the server to come back.
    pub async fn report(
        &self,
        execution_id: &str,
        status: WorkflowExecutionStatus,
    ) -> Result<(), ServerError> {
        self.update_status(execution_id, status, LAST_WORD).await
    }

    /// Writes the status of a workflow execution now or not at all.
    pub async fn report_once(
        &self,
        execution_id: &str,
        status: WorkflowExecutionStatus,
    ) -> Result<(), ServerError> {
        let report = self.update_status(execution_id, status, Duration::ZERO);
        tokio::time::timeout(REPORT, report)
            .await
            .unwrap_or_else(|_| {
                Err(self.server.error(
                    format!("report on {execution_id}"),
                    Status::deadline_exceeded("no answer within 2 s"),
                ))
            })
    }

    async fn update_status(
        &self,
        execution_id: &str,
        status: WorkflowExecutionStatus,
        patience: Duration,
    ) -> Result<(), ServerError> {
        let client = WorkflowExecutionCommandControllerClient::new(self.server.channel())
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = WorkflowExecutionUpdateStatusInput {
            execution_id: execution_id.to_owned(),
            status: Some(status),
        };
        self.server
            .call(format!("report on {execution_id}"), patience, || {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.update_status(request).await }
            })
            .await
            .map(drop)
    }

    fn workflows(&self) -> WorkflowQueryControllerClient<AuthorizedChannel> {
        WorkflowQueryControllerClient::new(self.server.channel())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
    }
}
