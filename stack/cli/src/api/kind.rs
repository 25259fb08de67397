//! The kinds that projects define: how each is deployed, found, and run.

use std::{collections::HashMap, time::Duration};

use stigmer_api::{
    ApiResourceMetadata, ApiResourceOwnerScope, ApiResourceReference, MAX_MESSAGE_BYTES, Resource,
    agent::{
        Agent, AgentId, agent_command_controller_client::AgentCommandControllerClient,
        agent_query_controller_client::AgentQueryControllerClient,
    },
    agent_execution::{AgentExecution, AgentExecutionSpec},
    execution_context::ExecutionValue,
    id, slug,
    workflow::{
        Workflow, WorkflowId, workflow_command_controller_client::WorkflowCommandControllerClient,
        workflow_query_controller_client::WorkflowQueryControllerClient,
    },
    workflow_execution::{WorkflowExecution, WorkflowExecutionSpec},
};
use tonic::{Response, Status, transport::Channel};

use super::{Api, ApiError, execution::Execution};

const LOOKUP_LIMIT: Duration = Duration::from_secs(10);
const APPLY_LIMIT: Duration = Duration::from_secs(30);

type Answer<T> = Result<Response<T>, Status>;

/// A kind of resource that can be deployed and found.
pub trait Deployable: Resource + PartialEq {
    /// What people call it: `Agent`.
    const TYPE: &'static str;

    /// The description, or an empty text.
    fn description(&self) -> &str;
    /// Calls `apply`.
    async fn call_apply(channel: Channel, resource: Self) -> Answer<Self>;
    /// Calls `get`.
    async fn call_get(channel: Channel, id: String) -> Answer<Self>;
    /// Calls `getByReference`.
    async fn call_get_by_reference(
        channel: Channel,
        reference: ApiResourceReference,
    ) -> Answer<Self>;

    /// Creates or replaces the resource on the server.
    async fn apply(self, api: &Api) -> Result<Self, ApiError> {
        api.call(APPLY_LIMIT, Self::call_apply(api.channel(), self))
            .await
    }

    /// The resource called `slug` in `org`.
    async fn find_by_slug(api: &Api, org: &str, slug: &str) -> Result<Option<Self>, ApiError> {
        let reference = ApiResourceReference {
            scope: ApiResourceOwnerScope::Organization.into(),
            org: org.to_owned(),
            kind: Self::KIND.into(),
            slug: slug.to_owned(),
            version: String::new(),
        };
        absent_as_none(
            api.call(
                LOOKUP_LIMIT,
                Self::call_get_by_reference(api.channel(), reference),
            )
            .await,
        )
    }

    /// The resource with the id `target`, else the one called so in `org`. A server that does not
    /// know the kind has none of it.
    async fn find(api: &Api, org: &str, target: &str) -> Result<Option<Self>, ApiError> {
        if id::is_id(Self::KIND, target) {
            let call = Self::call_get(api.channel(), target.to_owned());
            if let Some(found) = absent_as_none(api.call(LOOKUP_LIMIT, call).await)? {
                return Ok(Some(found));
            }
        }
        Self::find_by_slug(api, org, target).await
    }

    /// The slug that the server will know the resource by.
    fn slug_on_server(&self) -> String {
        match self.slug() {
            "" => slug::from_name(self.name()),
            slug => slug.to_owned(),
        }
    }
}

/// A kind of resource that can be run.
pub trait Runnable: Deployable {
    /// What a run of it is.
    type Execution: Execution;

    /// The execution to create for `request`.
    fn execution(&self, name: String, request: &Request) -> Self::Execution;
}

/// What to run something with.
#[derive(Clone, Debug)]
pub struct Request {
    pub org: String,
    pub message: String,
    pub runtime_env: HashMap<String, ExecutionValue>,
}

fn absent_as_none<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() || error.is_unimplemented() => Ok(None),
        Err(error) => Err(error),
    }
}

macro_rules! deployable {
    ($kind:ident, $type:literal, $id:ident, $command:ident, $query:ident) => {
        impl Deployable for $kind {
            const TYPE: &'static str = $type;

            fn description(&self) -> &str {
                self.spec.as_ref().map_or("", |spec| &spec.description)
            }

            async fn call_apply(channel: Channel, resource: Self) -> Answer<Self> {
                $command::new(channel)
                    .max_decoding_message_size(MAX_MESSAGE_BYTES)
                    .apply(resource)
                    .await
            }

            async fn call_get(channel: Channel, id: String) -> Answer<Self> {
                let id = $id { value: id };
                $query::new(channel)
                    .max_decoding_message_size(MAX_MESSAGE_BYTES)
                    .get(id)
                    .await
            }

            async fn call_get_by_reference(
                channel: Channel,
                reference: ApiResourceReference,
            ) -> Answer<Self> {
                let mut client = $query::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES);
                client.get_by_reference(reference).await
            }
        }
    };
}

deployable!(
    Agent,
    "Agent",
    AgentId,
    AgentCommandControllerClient,
    AgentQueryControllerClient
);
deployable!(
    Workflow,
    "Workflow",
    WorkflowId,
    WorkflowCommandControllerClient,
    WorkflowQueryControllerClient
);

impl Runnable for Agent {
    type Execution = AgentExecution;

    fn execution(&self, name: String, request: &Request) -> AgentExecution {
        AgentExecution {
            metadata: Some(ApiResourceMetadata {
                name,
                org: request.org.clone(),
                ..Default::default()
            }),
            spec: Some(AgentExecutionSpec {
                agent_id: self.id().to_owned(),
                message: request.message.clone(),
                runtime_env: request.runtime_env.clone(),
                ..Default::default()
            }),
            ..AgentExecution::envelope()
        }
    }
}

impl Runnable for Workflow {
    type Execution = WorkflowExecution;

    fn execution(&self, name: String, request: &Request) -> WorkflowExecution {
        WorkflowExecution {
            metadata: Some(ApiResourceMetadata {
                name,
                org: request.org.clone(),
                owner_scope: ApiResourceOwnerScope::Organization.into(),
                ..Default::default()
            }),
            spec: Some(WorkflowExecutionSpec {
                workflow_id: self.id().to_owned(),
                trigger_message: request.message.clone(),
                runtime_env: request.runtime_env.clone(),
                ..Default::default()
            }),
            ..WorkflowExecution::envelope()
        }
    }
}
