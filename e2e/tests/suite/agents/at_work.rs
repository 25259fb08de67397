//! What the tests of this section share: agents with MCP servers, and a run of one.

use stigmer_api::{
    Resource,
    agent::{
        Agent, AgentSpec, McpServerDefinition, StdioServer, mcp_server_definition::ServerType,
    },
    agent_execution::{AgentExecution, AgentExecutionStatus, MessageType, ToolCallStatus},
    execution_context::ExecutionValue,
};
use stigmer_e2e::harness::{
    CheckError, Component, Environment, Probe, Test,
    budget::{AGENT, STOP},
};

use crate::{given, own, then};

/// What the model is told to do.
pub const TASK: &str = "Do what has to be done.";

/// The test server, as a program, under this name.
pub fn stdio(name: &str) -> McpServerDefinition {
    McpServerDefinition {
        name: name.to_owned(),
        server_type: Some(ServerType::Stdio(StdioServer {
            command: own::mcp_server().into(),
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// An agent with these servers.
pub fn agent_with(servers: impl IntoIterator<Item = McpServerDefinition>) -> Agent {
    let mut agent = given::agent("worker", "Use your tools.");
    agent.spec = Some(AgentSpec {
        mcp_servers: servers.into_iter().collect(),
        ..agent.spec.unwrap_or_default()
    });
    agent
}

/// An environment whose runner gives MCP servers `seconds` to start and to answer.
pub async fn impatient(t: &Test, seconds: u32) -> Result<Environment, CheckError> {
    let seconds = seconds.to_string();
    let environment = t
        .environment()
        .without_workflow_runner()
        .setting(
            Component::AgentRunner,
            "STIGMER_MCP_START_TIMEOUT",
            &seconds,
        )
        .setting(Component::AgentRunner, "STIGMER_MCP_CALL_TIMEOUT", &seconds);
    Ok(environment.start().await?)
}

/// An execution of `agent`, which is applied first, with the task of this section.
pub async fn start(
    env: &Environment,
    agent: Agent,
    change: impl FnOnce(&mut AgentExecution),
) -> Result<String, CheckError> {
    let agent = env.api().apply(agent).await?;
    let mut execution = given::execution("at-work", agent.id(), TASK);
    change(&mut execution);
    Ok(env.api().create(execution).await?.id().to_owned())
}

/// Runs `agent` to its end, which has to be COMPLETED.
pub async fn completed(
    env: &Environment,
    agent: Agent,
) -> Result<AgentExecutionStatus, CheckError> {
    let id = start(env, agent, |_| ()).await?;
    let finished = then::completed(env, &id, AGENT).await?;
    Ok(finished.execution.status.unwrap_or_default())
}

/// A variable of an execution.
pub fn variable(execution: &mut AgentExecution, name: &str, value: &str, is_secret: bool) {
    let value = ExecutionValue {
        value: value.to_owned(),
        is_secret,
    };
    let spec = execution.spec.get_or_insert_default();
    spec.runtime_env.insert(name.to_owned(), value);
}

/// The texts of the messages of one type.
pub fn texts(status: &AgentExecutionStatus, kind: MessageType) -> Vec<&str> {
    let messages = status
        .messages
        .iter()
        .filter(|message| message.r#type() == kind);
    messages.map(|message| message.content.as_str()).collect()
}

/// Name, state, and result or error of every call on record.
pub fn calls(status: &AgentExecutionStatus) -> Vec<(&str, ToolCallStatus, &str)> {
    let calls = status.tool_calls.iter().map(|call| {
        let said = if call.error.is_empty() {
            &call.result
        } else {
            &call.error
        };
        (call.name.as_str(), call.status(), said.as_str())
    });
    calls.collect()
}

/// Waits until no process of the group that `pid` led is left.
pub async fn group_gone(env: &Environment, pid: i32) -> Result<(), CheckError> {
    let group = rustix::process::Pid::from_raw(pid).expect("a process has a number above 0");
    let look = async || match rustix::process::test_kill_process_group(group) {
        Ok(()) => Probe::NotYet(format!("process group {pid} is there")),
        Err(rustix::io::Errno::SRCH) => Probe::Done(()),
        Err(error) => Probe::Hopeless(error.to_string()),
    };
    let awaited = format!("no process of the server with pid {pid} is left");
    env.test().eventually(awaited, STOP, look).await?;
    Ok(())
}
