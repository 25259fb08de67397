//! What an execution's record shows of its turn: phase, times, and messages as they come.

use std::time::Duration;

use serde_json::{Map, Value, json};
use stigmer_api::{
    agent_execution::{
        AgentExecutionStatus, AgentMessage, ExecutionPhase, MessageType, ToolCall, ToolCallStatus,
    },
    json::to_struct,
    time::rfc3339_now,
};

use crate::llm::{Figures, ToolRequest};

/// A status under construction. Each of its states can be sent as it is: later ones hold all that
/// earlier ones held.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    status: AgentExecutionStatus,
}

impl Transcript {
    /// In progress, with what the person said.
    pub fn begin(message: &str) -> Self {
        let now = rfc3339_now();
        let status = AgentExecutionStatus {
            phase: ExecutionPhase::ExecutionInProgress as i32,
            messages: vec![said(MessageType::MessageHuman, message, &now)],
            started_at: now,
            ..Default::default()
        };
        Self { status }
    }

    /// Adds a note for people.
    pub fn note(&mut self, text: &str) {
        self.status
            .messages
            .push(said(MessageType::MessageSystem, text, &rfc3339_now()));
    }

    /// Lets the model's message grow, or begins it.
    pub fn append(&mut self, text: &str) {
        match self.status.messages.last_mut() {
            Some(last) if last.r#type() == MessageType::MessageAi => last.content.push_str(text),
            _ => self
                .status
                .messages
                .push(said(MessageType::MessageAi, text, &rfc3339_now())),
        }
    }

    /// Records a tool that the model asked for and did not get, because this runner offers none.
    pub fn refuse_tool(&mut self, request: &ToolRequest) {
        let now = rfc3339_now();
        let args = match serde_json::from_str(&request.arguments) {
            Ok(Value::Object(object)) => object,
            // Not what was asked for, but what was said.
            _ => Map::from_iter([("text".to_owned(), json!(request.arguments))]),
        };
        self.status.tool_calls.push(ToolCall {
            id: request.id.clone(),
            name: request.name.clone(),
            args: Some(to_struct(args)),
            status: ToolCallStatus::ToolCallFailed as i32,
            error: "this tool was not offered".to_owned(),
            started_at: now.clone(),
            completed_at: now,
            ..Default::default()
        });
    }

    /// Completed; the figures go with the model's message. `model` is the one that was asked; what the
    /// server calls it is told as well where that differs.
    pub fn complete(&mut self, model: &str, figures: &Figures) {
        if let Some(last) = self.status.messages.last_mut() {
            last.metadata = Some(to_struct(metadata(model, figures)));
        }
        self.end(ExecutionPhase::ExecutionCompleted);
    }

    /// Failed, and why. What was said before stays.
    pub fn fail(&mut self, cause: &str) {
        self.note(&format!("❌ Error: Execution failed: {cause}"));
        self.status.error = cause.to_owned();
        self.end(ExecutionPhase::ExecutionFailed);
    }

    /// Cancelled. What was said before stays.
    pub fn cancel(&mut self) {
        self.note("The execution was cancelled.");
        self.end(ExecutionPhase::ExecutionCancelled);
    }

    /// The status as it is now.
    pub fn status(&self) -> &AgentExecutionStatus {
        &self.status
    }

    fn end(&mut self, phase: ExecutionPhase) {
        self.status.set_phase(phase);
        self.status.completed_at = rfc3339_now();
    }
}

fn said(r#type: MessageType, content: &str, timestamp: &str) -> AgentMessage {
    AgentMessage {
        r#type: r#type as i32,
        content: content.to_owned(),
        timestamp: timestamp.to_owned(),
        ..Default::default()
    }
}

fn metadata(model: &str, figures: &Figures) -> Map<String, Value> {
    let milliseconds = |span: Duration| json!(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    let mut metadata = Map::from_iter([
        ("model".to_owned(), json!(model)),
        (
            "ms_to_first_token".to_owned(),
            milliseconds(figures.first_token),
        ),
        ("ms_total".to_owned(), milliseconds(figures.total)),
    ]);
    if let Some(served) = figures.model.as_deref().filter(|served| *served != model) {
        metadata.insert("served_model".to_owned(), json!(served));
    }
    if let Some(reason) = &figures.finish_reason {
        metadata.insert("finish_reason".to_owned(), json!(reason));
    }
    if let Some(usage) = figures.usage {
        metadata.insert("prompt_tokens".to_owned(), json!(usage.prompt_tokens));
        metadata.insert(
            "completion_tokens".to_owned(),
            json!(usage.completion_tokens),
        );
    }
    metadata
}

#[cfg(test)]
mod tests {
    use stigmer_api::json::from_struct;

    use super::*;
    use crate::llm::Usage;

    #[test]
    fn a_tool_that_was_asked_for_and_not_offered_is_on_record() {
        let mut transcript = Transcript::begin("Clean up");
        for arguments in [r#"{"path": "/tmp"}"#, "{"] {
            transcript.refuse_tool(&ToolRequest {
                id: "call_1".to_owned(),
                name: "rm".to_owned(),
                arguments: arguments.to_owned(),
            });
        }
        let calls = &transcript.status().tool_calls;
        let seen: Vec<_> = calls
            .iter()
            .map(|call| {
                (
                    call.name.as_str(),
                    call.status(),
                    from_struct(call.args.as_ref().unwrap()),
                )
            })
            .collect();
        let args = |key: &str, value: &str| Map::from_iter([(key.to_owned(), json!(value))]);
        assert_eq!(
            seen,
            [
                ("rm", ToolCallStatus::ToolCallFailed, args("path", "/tmp")),
                ("rm", ToolCallStatus::ToolCallFailed, args("text", "{")),
            ]
        );
    }

    fn kinds(status: &AgentExecutionStatus) -> Vec<(MessageType, &str)> {
        status
            .messages
            .iter()
            .map(|message| (message.r#type(), message.content.as_str()))
            .collect()
    }

    #[test]
    fn an_answer_grows_in_one_message_and_completes_with_its_figures() {
        let mut transcript = Transcript::begin("Hi");
        assert_eq!(
            transcript.status().phase(),
            ExecutionPhase::ExecutionInProgress
        );
        assert!(transcript.status().completed_at.is_empty());
        transcript.append("Hel");
        transcript.append("lo");
        transcript.complete(
            "asked",
            &Figures {
                model: Some("answered".to_owned()),
                finish_reason: Some("stop".to_owned()),
                usage: Some(Usage {
                    prompt_tokens: 7,
                    completion_tokens: 2,
                }),
                first_token: Duration::from_millis(12),
                total: Duration::from_millis(34),
            },
        );
        let status = transcript.status();
        assert_eq!(
            kinds(status),
            [
                (MessageType::MessageHuman, "Hi"),
                (MessageType::MessageAi, "Hello")
            ]
        );
        assert_eq!(status.phase(), ExecutionPhase::ExecutionCompleted);
        assert!(status.started_at <= status.completed_at, "{status:?}");
        assert_eq!(
            Value::Object(from_struct(status.messages[1].metadata.as_ref().unwrap())),
            json!({"model": "asked", "served_model": "answered", "finish_reason": "stop", "prompt_tokens": 7, "completion_tokens": 2,
                   "ms_to_first_token": 12, "ms_total": 34})
        );
    }

    #[test]
    fn a_failure_keeps_what_was_said_and_says_why() {
        let mut transcript = Transcript::begin("Hi");
        transcript.append("Hel");
        transcript.fail("the model is gone");
        let status = transcript.status();
        assert_eq!(
            kinds(status),
            [
                (MessageType::MessageHuman, "Hi"),
                (MessageType::MessageAi, "Hel"),
                (
                    MessageType::MessageSystem,
                    "❌ Error: Execution failed: the model is gone"
                ),
            ]
        );
        assert_eq!(
            (status.phase(), status.error.as_str()),
            (ExecutionPhase::ExecutionFailed, "the model is gone")
        );
        assert!(!status.completed_at.is_empty());
    }

    #[test]
    fn a_note_before_the_answer_stays_a_message_of_its_own() {
        let mut transcript = Transcript::begin("Hi");
        transcript.note("no tools");
        transcript.append("Hello");
        transcript.cancel();
        let types = transcript
            .status()
            .messages
            .iter()
            .map(AgentMessage::r#type)
            .collect::<Vec<_>>();
        assert_eq!(
            types,
            [
                MessageType::MessageHuman,
                MessageType::MessageSystem,
                MessageType::MessageAi,
                MessageType::MessageSystem,
            ]
        );
        assert_eq!(
            transcript.status().phase(),
            ExecutionPhase::ExecutionCancelled
        );
    }
}
