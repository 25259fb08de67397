//! The kinds that projects define: how each is deployed, found, listed, deleted, and run.

use std::{collections::HashMap, time::Duration};

use prost::Message;
use stigmer_api::{
    ApiResourceId, ApiResourceMetadata, ApiResourceOwnerScope, ApiResourceReference, Resource,
    agent::{Agent, AgentList},
    agent_execution::{AgentExecution, AgentExecutionSpec},
    commons::FindApiResourcesRequest,
    environment::EnvironmentValue,
    execution_context::ExecutionValue,
    id, slug,
    workflow::{Workflow, WorkflowList},
    workflow_execution::{WorkflowExecution, WorkflowExecutionSpec},
};

use super::{
    Api, ApiError,
    execution::Execution,
    page::{Page, read_all},
    path,
};

const LOOKUP_LIMIT: Duration = Duration::from_secs(10);
const APPLY_LIMIT: Duration = Duration::from_secs(30);

/// A kind of resource that is deployed, found, and deleted by its name.
pub trait Deployable: Resource + PartialEq {
    /// What people call it: `Agent`.
    const TYPE: &'static str;

    /// What `list` answers.
    type List: Message + Default + 'static;

    /// The description, or an empty text.
    fn description(&self) -> &str;
    /// The variables that it declares, if any.
    fn variables_mut(&mut self) -> Option<&mut HashMap<String, EnvironmentValue>>;
    /// The rows of a list, and the number of its pages.
    fn rows_of(list: Self::List) -> (Vec<Self>, i32);

    /// Creates or replaces the resource on the server.
    async fn apply(self, api: &Api) -> Result<Self, ApiError> {
        api.unary(path::command::<Self>("apply"), self, APPLY_LIMIT)
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
        let path = path::query::<Self>("getByReference");
        absent_as_none(api.unary(path, reference, LOOKUP_LIMIT).await)
    }

    /// The resource with the id `target`, else the one called so in `org`. A server that does not
    /// know the kind has none of it.
    async fn find(api: &Api, org: &str, target: &str) -> Result<Option<Self>, ApiError> {
        if id::is_id(Self::KIND, target)
            && let Some(found) = absent_as_none(get(api, target).await)?
        {
            return Ok(Some(found));
        }
        Self::find_by_slug(api, org, target).await
    }

    /// Every resource of the kind in `org`.
    async fn list(api: &Api, org: &str) -> Result<Vec<Self>, ApiError> {
        read_all(async |rows: &[Self], size| {
            // Pages are counted from 1.
            let number = i32::try_from(rows.len()).unwrap_or(i32::MAX) / size + 1;
            let request = FindApiResourcesRequest {
                org: org.to_owned(),
                page_number: number,
                page_size: size,
                ..Default::default()
            };
            let path = path::query::<Self>("list");
            let list = api.unary(path, request, LOOKUP_LIMIT).await?;
            let (entries, pages) = Self::rows_of(list);
            Ok(Page {
                more: number < pages,
                entries,
            })
        })
        .await
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

/// The resource `id` of any kind.
pub async fn get<R: Resource>(api: &Api, id: &str) -> Result<R, ApiError> {
    let request = ApiResourceId {
        value: id.to_owned(),
    };
    api.unary(path::query::<R>("get"), request, LOOKUP_LIMIT)
        .await
}

/// Deletes the resource `id` of any kind and returns what it was.
pub async fn delete<R: Resource>(api: &Api, id: &str) -> Result<R, ApiError> {
    let request = ApiResourceId {
        value: id.to_owned(),
    };
    api.unary(path::command::<R>("delete"), request, APPLY_LIMIT)
        .await
}

/// What there is not is no error.
pub fn absent_as_none<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() || error.is_unimplemented() => Ok(None),
        Err(error) => Err(error),
    }
}

macro_rules! deployable {
    ($kind:ident, $type:literal, $list:ident) => {
        impl Deployable for $kind {
            const TYPE: &'static str = $type;

            type List = $list;

            fn description(&self) -> &str {
                self.spec.as_ref().map_or("", |spec| &spec.description)
            }

            fn variables_mut(&mut self) -> Option<&mut HashMap<String, EnvironmentValue>> {
                let env_spec = self.spec.as_mut()?.env_spec.as_mut()?;
                Some(&mut env_spec.data)
            }

            fn rows_of(list: $list) -> (Vec<Self>, i32) {
                (list.entries, list.total_pages)
            }
        }
    };
}

deployable!(Agent, "Agent", AgentList);
deployable!(Workflow, "Workflow", WorkflowList);

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
