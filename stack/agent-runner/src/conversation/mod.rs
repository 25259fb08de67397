//! What the model reads: the agent's instructions, the session so far, and the new message.

mod memory;
mod prompt;

use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, MessageType},
};

pub use self::prompt::instructions;
use crate::llm::{ChatMessage, Role};

/// The messages for the turn of `execution`. `session` holds the executions of its session in any
/// order; the last of those that completed before it are what the model remembers.
pub fn messages(
    instructions: &str,
    session: &[AgentExecution],
    execution: &AgentExecution,
) -> Vec<ChatMessage> {
    let mut messages = vec![ChatMessage::new(Role::System, instructions)];
    for turn in memory::earlier_turns(session, execution) {
        messages.push(ChatMessage::new(Role::User, user_text(turn)));
        messages.push(ChatMessage::new(Role::Assistant, answer_of(turn)));
    }
    messages.push(ChatMessage::new(Role::User, user_text(execution)));
    messages
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

#[cfg(test)]
pub(crate) mod tests {
    use stigmer_api::{
        ApiResourceMetadata,
        agent_execution::{AgentExecutionSpec, AgentExecutionStatus, AgentMessage, ExecutionPhase},
    };

    use super::*;

    /// An execution with its message and its answer.
    pub(crate) fn execution(
        id: &str,
        message: &str,
        phase: ExecutionPhase,
        answer: &str,
    ) -> AgentExecution {
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
        let messages = messages("Be brief.", &session, &session[3]);
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
        let messages = messages("Help.", &[], &asked);
        assert_eq!(
            texts(&messages),
            [
                (Role::System, "Help."),
                (Role::User, "Hi\n\n---\nContext:\n- Organization: acme"),
            ]
        );
    }
}
