//! Agent instances: an agent with its environments. Every agent has a default one.

use stigmer_api::{
    ApiResourceMetadata, ApiResourceOwnerScope, Resource,
    agent::Agent,
    agent_instance::{
        AgentInstance, AgentInstanceList, AgentInstanceSpec, GetAgentInstancesByAgentRequest,
    },
    slug,
};

use super::Kind;
use crate::{
    pipeline::{self, AtStep as _, Cause, StepError, page, steps},
    state::State,
    store::{Query, Relation, Tx},
};

const STEP: &str = "CreateDefaultInstance";

impl Kind for AgentInstance {}

/// The instances of one agent, in numbered pages.
pub async fn get_by_agent(
    state: &State,
    request: GetAgentInstancesByAgentRequest,
) -> Result<AgentInstanceList, StepError> {
    steps::validate_constraints(&request)?;
    let query = Query {
        relation: Relation::ChildOf(request.agent_id),
        page: page::by_number(request.page_info)?,
        ..Query::default()
    };
    let listing = state.list(query).await?;
    let total_count = i32::try_from(listing.total).unwrap_or(i32::MAX);
    Ok(AgentInstanceList {
        total_count,
        items: listing.rows,
    })
}

/// The id of the agent's default instance, if it has one that still exists.
pub(super) fn existing_default(tx: &Tx<'_>, agent: &Agent) -> Result<Option<String>, StepError> {
    let noted = agent
        .status
        .as_ref()
        .map_or("", |status| &status.default_instance_id);
    let instance: Option<AgentInstance> = tx.load(noted).at(STEP)?;
    Ok(instance.map(|instance| instance.id().to_owned()))
}

/// Makes `<agent>-default` and returns its id. One left over from an agent that is gone is adopted.
pub(super) fn create_default(tx: &Tx<'_>, agent: &Agent) -> Result<String, StepError> {
    let instance = default_of(agent);
    let slug = slug::from_name(instance.name());
    let owner = instance.metadata().cloned().unwrap_or_default();
    let taken: Option<AgentInstance> = tx.find(&owner.org, owner.owner_scope, &slug).at(STEP)?;
    let Some(mut leftover) = taken else {
        return pipeline::create(tx, instance).map(|instance| instance.id().to_owned());
    };
    let id = leftover.id().to_owned();
    let agent_id = &mut leftover.spec.get_or_insert_default().agent_id;
    if agent_id != agent.id() && tx.load::<Agent>(agent_id).at(STEP)?.is_some() {
        return Err(Cause::AlreadyExists {
            kind: AgentInstance::kind_name(),
            slug,
            id,
        })
        .at(STEP);
    }
    agent.id().clone_into(agent_id);
    pipeline::update(tx, leftover).map(|_| id)
}

/// Deletes the default instance of an agent that is deleted.
pub(super) fn delete_default(tx: &Tx<'_>, agent: &Agent) -> Result<(), StepError> {
    match existing_default(tx, agent)? {
        Some(id) => tx.delete::<AgentInstance>(&id).at("DeleteDefaultInstance"),
        None => Ok(()),
    }
}

fn default_of(agent: &Agent) -> AgentInstance {
    let metadata = agent.metadata().cloned().unwrap_or_default();
    let org = match metadata.owner_scope() {
        ApiResourceOwnerScope::Organization => metadata.org,
        _ => String::new(),
    };
    let mut instance = AgentInstance::envelope();
    instance.metadata = Some(ApiResourceMetadata {
        name: format!("{}-default", metadata.name),
        owner_scope: metadata.owner_scope,
        org,
        ..Default::default()
    });
    instance.spec = Some(AgentInstanceSpec {
        agent_id: agent.id().to_owned(),
        description: "Default instance, made together with its agent.".to_owned(),
        ..Default::default()
    });
    instance
}
