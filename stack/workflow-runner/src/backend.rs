//! The server's API, as far as this runner needs it.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable as _};
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
use tokio::time::Instant;
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::settings::BackendSettings;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// How long a report on the way may take: it holds up the workflow it is about.
const REPORT: Duration = Duration::from_secs(2);

/// How long a call is tried again while the server cannot be reached.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the end of an execution is tried to be written.
const LAST_WORD: Duration = Duration::from_secs(120);

type Intercepted = InterceptedService<Channel, Bearer>;

/// A client of the server; it connects when first used, and again when the connection breaks.
#[derive(Clone, Debug)]
pub struct Backend {
    address: Arc<str>,
    channel: Intercepted,
}

/// The server did not do what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what} at the stigmer-server {address}: {:?}: {}", .status.code(), .status.message())]
pub struct BackendError {
    /// What was asked, such as `get workflow "wfl-…"`.
    pub what: String,
    /// The server's address.
    pub address: Arc<str>,
    /// What it answered.
    pub status: Box<Status>,
}

/// Adds the key to every call.
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

    /// A workflow by id.
    pub async fn workflow(&self, id: &str) -> Result<Workflow, BackendError> {
        let request = workflow::WorkflowId {
            value: id.to_owned(),
        };
        let client = self.workflows();
        self.call(format!("get workflow {id:?}"), PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get(request).await }
        })
        .await
    }

    /// A workflow by its name or slug, within an org.
    pub async fn workflow_by_name(&self, name: &str, org: &str) -> Result<Workflow, BackendError> {
        let reference = ApiResourceReference {
            scope: ApiResourceOwnerScope::Unspecified as i32,
            org: org.to_owned(),
            kind: ApiResourceKind::Workflow as i32,
            slug: slug::from_name(name),
            version: String::new(),
        };
        let client = self.workflows();
        self.call(
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
    pub async fn workflow_instance(&self, id: &str) -> Result<WorkflowInstance, BackendError> {
        let request = workflow_instance::WorkflowInstanceId {
            value: id.to_owned(),
        };
        let client = WorkflowInstanceQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        self.call(format!("get workflow instance {id:?}"), PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get(request).await }
        })
        .await
    }

    /// An agent by reference.
    pub async fn agent_by_reference(
        &self,
        reference: ApiResourceReference,
    ) -> Result<Agent, BackendError> {
        let client = AgentQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        self.call(
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
    ) -> Result<(), BackendError> {
        let client = AgentExecutionCommandControllerClient::new(self.channel.clone())
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let created = self
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
    ) -> Result<(), BackendError> {
        self.update_status(execution_id, status, LAST_WORD).await
    }

    /// Writes the status of a workflow execution now or not at all.
    pub async fn report_once(
        &self,
        execution_id: &str,
        status: WorkflowExecutionStatus,
    ) -> Result<(), BackendError> {
        let report = self.update_status(execution_id, status, Duration::ZERO);
        tokio::time::timeout(REPORT, report)
            .await
            .unwrap_or_else(|_| {
                Err(self.error(
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
    ) -> Result<(), BackendError> {
        let client = WorkflowExecutionCommandControllerClient::new(self.channel.clone())
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let request = WorkflowExecutionUpdateStatusInput {
            execution_id: execution_id.to_owned(),
            status: Some(status),
        };
        self.call(format!("report on {execution_id}"), patience, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.update_status(request).await }
        })
        .await
        .map(drop)
    }

    fn workflows(&self) -> WorkflowQueryControllerClient<Intercepted> {
        WorkflowQueryControllerClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    /// Calls, and calls again while the server cannot be reached.
    async fn call<T, F>(
        &self,
        what: String,
        patience: Duration,
        call: impl Fn() -> F,
    ) -> Result<T, BackendError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let end = Instant::now() + patience;
        let backoff = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_secs(1))
            .with_jitter()
            .without_max_times();
        call.retry(backoff)
            .when(|status| status.code() == Code::Unavailable && Instant::now() < end)
            .await
            .map(Response::into_inner)
            .map_err(|status| self.error(what, status))
    }

    fn error(&self, what: String, status: Status) -> BackendError {
        BackendError {
            what,
            address: self.address.clone(),
            status: Box::new(status),
        }
    }
}
