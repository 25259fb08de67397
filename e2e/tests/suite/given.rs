//! Messages that several scenarios send.

use stigmer_api::{
    ApiResourceOwnerScope, LOCAL_ORG, Resource,
    agent::{Agent, AgentSpec},
    agent_execution::{AgentExecution, AgentExecutionSpec},
};

/// An agent as the CLI sends it.
pub fn agent(name: &str, instructions: &str) -> Agent {
    let mut agent = Agent::envelope();
    let metadata = agent.metadata_mut();
    metadata.name = name.to_owned();
    metadata.org = LOCAL_ORG.to_owned();
    metadata.owner_scope = ApiResourceOwnerScope::Organization as i32;
    agent.spec = Some(AgentSpec {
        instructions: instructions.to_owned(),
        ..Default::default()
    });
    agent
}

/// An execution of an agent as the CLI sends it.
pub fn execution(name: &str, agent_id: &str, message: &str) -> AgentExecution {
    let mut execution = AgentExecution::envelope();
    let metadata = execution.metadata_mut();
    metadata.name = name.to_owned();
    metadata.org = LOCAL_ORG.to_owned();
    execution.spec = Some(AgentExecutionSpec {
        agent_id: agent_id.to_owned(),
        message: message.to_owned(),
        ..Default::default()
    });
    execution
}
