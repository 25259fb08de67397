//! What the model reads: the agent's instructions, the session so far, and the new message.

use stigmer_api::{
    Resource,
    agent::AgentSpec,
    agent_execution::{AgentExecution, ExecutionPhase, MessageType},
};

use crate::llm::{ChatMessage, Role};

const DEFAULT_INSTRUCTIONS: &str = "You are a helpful AI assistant.";

/// The messages for the turn of `execution`. `session` holds the executions of its session in any
/// order; those that completed before it are what the model remembers.
pub fn messages(
    agent: &AgentSpec,
    session: &[AgentExecution],
    execution: &AgentExecution,
) -> Vec<ChatMessage> {
    let instructions = match agent.instructions.trim() {
        "" => DEFAULT_INSTRUCTIONS,
        instructions => instructions,
    };
    let mut messages = vec![ChatMessage::new(Role::System, instructions)];
    for turn in earlier_turns(session, execution) {
        messages.push(ChatMessage::new(Role::User, user_text(turn)));
        messages.push(ChatMessage::new(Role::Assistant, answer_of(turn)));
    }
    messages.push(ChatMessage::new(Role::User, user_text(execution)));
    messages
}

/// Ids are ordered by creation, so comparing them tells earlier from later.
fn earlier_turns<'a>(
    session: &'a [AgentExecution],
    execution: &AgentExecution,
) -> Vec<&'a AgentExecution> {
    let mut turns = session
        .iter()
        .filter(|turn| turn.id() < execution.id())
        .filter(|turn| {
            turn.status
                .as_ref()
                .is_some_and(|s| s.phase() == ExecutionPhase::ExecutionCompleted)
        })
        .collect::<Vec<_>>();
    turns.sort_by_key(|turn| turn.id());
    turns
}

fn answer_of(turn: &AgentExecution) -> String {
    let messages = turn.status.iter().flat_map(|status| &status.messages);
    let answers = messages.filter(|message| message.r#type() == MessageType::MessageAi);
    answers
        .map(|message| message.content.as_str())
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// The exact message first, what it is about after it.
fn user_text(execution: &AgentExecution) -> String {
    let message = execution.spec.as_ref().map_or("", |spec| &spec.message);
    match execution.metadata().map_or("", |metadata| &metadata.org) {
        "" => message.to_owned(),
        org => format!("{message}\n\n---\nContext:\n- Organization: {org}"),
    }
}

/// What the agent asks for that this runner cannot give it, for people, or `None`.
pub fn unsupported(agent: &AgentSpec) -> Option<String> {
    let list = |what: &str, names: Vec<&str>| {
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let missing = [
        list(
            "skills",
            agent
                .skill_refs
                .iter()
                .map(|skill| skill.slug.as_str())
                .collect(),
        ),
        list(
            "MCP servers",
            agent
                .mcp_servers
                .iter()
                .map(|server| server.name.as_str())
                .collect(),
        ),
        list(
            "sub-agents",
            agent
                .sub_agents
                .iter()
                .map(|sub_agent| sub_agent.name.as_str())
                .collect(),
        ),
    ];
    let missing = missing.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!missing.is_empty())
        .then(|| format!("This agent-runner answers without what the agent asks for: {missing}."))
}

#[cfg(test)]
mod tests {
    use stigmer_api::{
        ApiResourceMetadata, ApiResourceReference,
        agent::{McpServerDefinition, SubAgent},
        agent_execution::{AgentExecutionSpec, AgentExecutionStatus, AgentMessage},
    };

    use super::*;

    fn execution(id: &str, message: &str, phase: ExecutionPhase, answer: &str) -> AgentExecution {
        let said = |r#type: MessageType, content: &str| AgentMessage {
            r#type: r#type as i32,
            content: content.to_owned(),
            ..Default::default()
        };
        AgentExecution {
            metadata: Some(ApiResourceMetadata {
                id: id.to_owned(),
                ..Default::default()
            }),
            spec: Some(AgentExecutionSpec {
                message: message.to_owned(),
                ..Default::default()
            }),
            status: Some(AgentExecutionStatus {
                phase: phase as i32,
                messages: vec![
                    said(MessageType::MessageHuman, message),
                    said(MessageType::MessageAi, answer),
                ],
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn texts(messages: &[ChatMessage]) -> Vec<(Role, &str)> {
        messages
            .iter()
            .map(|message| (message.role, message.content.as_str()))
            .collect()
    }

    #[test]
    fn the_model_reads_completed_earlier_turns_in_order() {
        use ExecutionPhase::{
            ExecutionCompleted as Completed, ExecutionFailed as Failed, ExecutionPending as Pending,
        };
        let session = [
            execution("aex-3", "three", Failed, ""),
            execution("aex-2", "two", Completed, "TWO"),
            execution("aex-1", "one", Completed, "ONE"),
            execution("aex-4", "four", Pending, ""),
            execution("aex-5", "five", Completed, "FIVE"),
        ];
        let agent = AgentSpec {
            instructions: "Be brief.".to_owned(),
            ..Default::default()
        };
        let messages = messages(&agent, &session, &session[3]);
        assert_eq!(
            texts(&messages),
            [
                (Role::System, "Be brief."),
                (Role::User, "one"),
                (Role::Assistant, "ONE"),
                (Role::User, "two"),
                (Role::Assistant, "TWO"),
                (Role::User, "four"),
            ]
        );
    }

    #[test]
    fn the_message_comes_first_and_its_context_after() {
        let mut asked = execution("aex-1", "Hi", ExecutionPhase::ExecutionPending, "");
        asked.metadata.as_mut().unwrap().org = "acme".to_owned();
        let messages = messages(&AgentSpec::default(), &[], &asked);
        assert_eq!(
            texts(&messages),
            [
                (Role::System, DEFAULT_INSTRUCTIONS),
                (Role::User, "Hi\n\n---\nContext:\n- Organization: acme"),
            ]
        );
    }

    #[test]
    fn what_the_runner_cannot_give_is_named() {
        assert_eq!(unsupported(&AgentSpec::default()), None);
        let agent = AgentSpec {
            skill_refs: vec![ApiResourceReference {
                slug: "review".to_owned(),
                ..Default::default()
            }],
            mcp_servers: vec![McpServerDefinition {
                name: "github".to_owned(),
                ..Default::default()
            }],
            sub_agents: vec![SubAgent {
                name: "tester".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let text = unsupported(&agent).unwrap();
        assert!(
            text.ends_with("skills review; MCP servers github; sub-agents tester."),
            "{text}"
        );
    }
}
