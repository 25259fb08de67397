//! The requests that all kinds have in common, from the message that arrives to the one that answers.

use prost_reflect::ReflectMessage;
use stigmer_api::{
    ApiResourceDeleteInput, ApiResourceId, ApiResourceReference, FindApiResourcesRequest,
    Resource as _,
    agent::{Agent, AgentId, AgentList},
    agent_execution::{AgentExecution, AgentExecutionId, AgentExecutionList},
    agent_instance::AgentInstanceId,
    execution_context::ExecutionContextId,
    pagination::PageInfo,
    session::{Session, SessionId, SessionList},
    skill::SkillId,
    workflow::{Workflow, WorkflowId, WorkflowList},
    workflow_execution::{
        SubscribeWorkflowExecutionRequest, WorkflowExecution, WorkflowExecutionId,
        WorkflowExecutionList,
    },
    workflow_instance::{WorkflowInstance, WorkflowInstanceId, WorkflowInstanceList},
};

use crate::{
    kinds::Kind,
    pipeline::{self, AtStep as _, Cause, StepError, page, steps},
    state::State,
    store::Query,
};

/// A message that names one resource by its id.
pub trait Target: ReflectMessage + Send + 'static {
    /// The id.
    fn into_id(self) -> String;
}

macro_rules! targets {
    ($($message:ty => $field:ident;)*) => {$(
        impl Target for $message {
            fn into_id(self) -> String {
                self.$field
            }
        }
    )*};
}

targets! {
    ApiResourceId => value;
    ApiResourceDeleteInput => resource_id;
    AgentId => value;
    AgentExecutionId => value;
    AgentInstanceId => value;
    ExecutionContextId => value;
    SessionId => value;
    SkillId => value;
    SubscribeWorkflowExecutionRequest => execution_id;
    WorkflowExecutionId => value;
    WorkflowId => value;
    WorkflowInstanceId => value;
}

/// An answer that is a page of a list.
pub trait PageOf {
    /// What is listed.
    type Row: Kind;

    /// The page, of `total_pages`.
    fn new(entries: Vec<Self::Row>, total_pages: i32) -> Self;
}

macro_rules! pages {
    ($($list:ident of $row:ident;)*) => {$(
        impl PageOf for $list {
            type Row = $row;

            fn new(entries: Vec<$row>, total_pages: i32) -> Self {
                Self { total_pages, entries }
            }
        }
    )*};
}

pages! {
    AgentExecutionList of AgentExecution;
    AgentList of Agent;
    SessionList of Session;
    WorkflowExecutionList of WorkflowExecution;
    WorkflowInstanceList of WorkflowInstance;
    WorkflowList of Workflow;
}

/// Stores a new resource.
pub async fn create<K: Kind>(state: &State, resource: K) -> Result<K, StepError> {
    steps::validate_constraints(&resource)?;
    state
        .store
        .write(move |tx| pipeline::create(tx, resource))
        .await
}

/// Replaces name, labels, and spec of a stored resource.
pub async fn update<K: Kind>(state: &State, request: K) -> Result<K, StepError> {
    steps::validate_constraints(&request)?;
    state
        .store
        .write(move |tx| pipeline::update(tx, request))
        .await
}

/// Creates a resource, or updates the one with its slug.
pub async fn apply<K: Kind>(state: &State, request: K) -> Result<K, StepError> {
    steps::validate_constraints(&request)?;
    state
        .store
        .write(move |tx| pipeline::apply(tx, request))
        .await
}

/// Deletes a resource and returns it as it was.
pub async fn delete<K: Kind>(state: &State, target: impl Target) -> Result<K, StepError> {
    steps::validate_constraints(&target)?;
    let id = target.into_id();
    state.store.write(move |tx| pipeline::delete(tx, &id)).await
}

/// The resource with an id.
pub async fn get<K: Kind>(state: &State, target: impl Target) -> Result<K, StepError> {
    steps::validate_constraints(&target)?;
    let id = target.into_id();
    state.store.read(move |rows| pipeline::get(rows, &id)).await
}

/// The resource that a reference means.
pub async fn get_by_reference<K: Kind>(
    state: &State,
    reference: ApiResourceReference,
) -> Result<K, StepError> {
    steps::validate_constraints(&reference)?;
    state
        .store
        .read(move |rows| pipeline::get_by_reference(rows, &reference))
        .await
}

/// A page of the resources that match.
pub async fn list<L: PageOf>(state: &State, query: Query) -> Result<L, StepError> {
    let size = query.page.size;
    let listing = state.list::<L::Row>(query).await?;
    Ok(L::new(listing.rows, page::count(listing.total, size)))
}

/// A numbered page of the resources of one kind in an org.
pub async fn list_of_org<L: PageOf>(
    state: &State,
    request: FindApiResourcesRequest,
) -> Result<L, StepError> {
    steps::validate_constraints(&request)?;
    let kind = L::Row::kind_name();
    if !request.kind.is_empty() && request.kind != kind {
        let problem = format!("value must be empty or {kind:?}");
        return Err(Cause::invalid("kind", problem)).at("ValidateProtoConstraints");
    }
    let info = request.page.unwrap_or(PageInfo {
        num: request.page_number,
        size: request.page_size,
    });
    let query = Query {
        org: Some(request.org),
        page: page::by_number(Some(info))?,
        ..Query::default()
    };
    list(state, query).await
}
