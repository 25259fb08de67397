//! Messages that several scenarios send, and looks that several take.

use serde_json::{Value, json};
use stigmer_api::{
    ApiResourceOwnerScope, LOCAL_ORG, Resource,
    agent::{Agent, AgentSpec},
    agent_execution::{AgentExecution, AgentExecutionSpec},
    json::from_json,
    workflow::Workflow,
    workflow_execution::{WorkflowExecution, WorkflowExecutionSpec},
};
use stigmer_e2e::harness::Probe;

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

/// A workflow with `tasks`, each of them a task of `WorkflowSpec` as JSON.
///
/// # Panics
///
/// When a task is none; it was written by hand.
pub fn workflow(name: &str, tasks: &[Value]) -> Workflow {
    let spec = json!({
        "description": "Made by a test",
        "document": {"dsl": "1.0.0", "namespace": "tests", "name": name, "version": "1.0.0"},
        "tasks": tasks,
    });
    let mut workflow = Workflow::envelope();
    let metadata = workflow.metadata_mut();
    metadata.name = name.to_owned();
    metadata.org = LOCAL_ORG.to_owned();
    metadata.owner_scope = ApiResourceOwnerScope::Organization as i32;
    workflow.spec = Some(from_json(&spec).expect("tasks of a test are tasks"));
    workflow
}

/// A task of `kind`, such as `HTTP_CALL`.
pub fn task(name: &str, kind: &str, config: Value) -> Value {
    json!({"name": name, "kind": format!("WORKFLOW_TASK_KIND_{kind}"), "taskConfig": config})
}

/// A task that gets `uri`.
pub fn http_get(name: &str, uri: &str) -> Value {
    let config = json!({"method": "GET", "endpoint": {"uri": uri}, "timeout_seconds": 60});
    task(name, "HTTP_CALL", config)
}

/// A task that sets variables.
pub fn set(name: &str, variables: &Value) -> Value {
    task(name, "SET", json!({"variables": variables}))
}

/// An execution of a workflow as the CLI sends it.
pub fn workflow_execution(name: &str, workflow_id: &str) -> WorkflowExecution {
    let mut execution = WorkflowExecution::envelope();
    let metadata = execution.metadata_mut();
    metadata.name = name.to_owned();
    metadata.org = LOCAL_ORG.to_owned();
    metadata.owner_scope = ApiResourceOwnerScope::Organization as i32;
    execution.spec = Some(WorkflowExecutionSpec {
        workflow_id: workflow_id.to_owned(),
        trigger_message: "execute".to_owned(),
        ..Default::default()
    });
    execution
}

/// A look at a number that has to become at least `wanted`.
pub fn at_least(wanted: usize, found: usize) -> Probe<()> {
    if found >= wanted {
        Probe::Done(())
    } else {
        Probe::NotYet(format!("{found} of {wanted}"))
    }
}

/// A look at things that all have to go away.
pub fn none_of(left: impl Iterator<Item: std::fmt::Debug>) -> Probe<()> {
    let left = left.collect::<Vec<_>>();
    if left.is_empty() {
        Probe::Done(())
    } else {
        Probe::NotYet(format!("{left:?}"))
    }
}
