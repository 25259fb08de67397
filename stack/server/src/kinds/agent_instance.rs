//! Agent instances: an agent with its environments. Every agent has a default one.

use stigmer_api::agent_instance::{
    AgentInstance, AgentInstanceList, GetAgentInstancesByAgentRequest,
};

use super::Kind;
use crate::{
    pipeline::{StepError, page, steps},
    state::State,
    store::{Query, Relation},
};

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
