//! The requests that all kinds have in common, from the message that arrives to the one that answers.

use prost_reflect::ReflectMessage;
use stigmer_api::{
    ApiResourceDeleteInput, ApiResourceId, ApiResourceReference, agent::AgentId,
    agent_execution::AgentExecutionId, agent_instance::AgentInstanceId,
    execution_context::ExecutionContextId, session::SessionId, skill::SkillId,
};

use crate::{
    kinds::Kind,
    pipeline::{self, StepError, steps},
    state::State,
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
