//! What an execution's record shows of its turn: phase, times, messages as they come, the tools
//! that were called, and the sub-agents that worked on it.

mod calls;
mod sub_agents;

use std::time::Duration;

use serde_json::{Map, Value, json};
use stigmer_api::{
    agent_execution::{AgentExecutionStatus, AgentMessage, ExecutionPhase, MessageType},
    json::to_struct,
    time::rfc3339_now,
};

pub use self::{
    calls::{CallKey, Component},
    sub_agents::SubAgentKey,
};
use crate::llm::Figures;

/// What the record holds of the arguments and results of tools, in bytes: the whole record has to
/// fit into one message to the server, and holds most of it twice.
const ROOM: usize = 3 * 1024 * 1024;

/// What stays on record for what was still going on when the execution ended.
const UNFINISHED: &str = "the execution ended before this did";

/// A status under construction. Each of its states can be sent as it is: later ones hold all that
/// earlier ones held.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    status: AgentExecutionStatus,
    /// The message of each tool call, for those that have one.
    messages_of_calls: Vec<Option<usize>>,
    room: usize,
}

/// Who says or does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The agent itself.
    Agent,
    /// A sub-agent, in this run of it.
    SubAgent {
        /// The run.
        key: SubAgentKey,
        /// Its name.
        name: String,
    },
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
        Self {
            status,
            messages_of_calls: Vec::new(),
            room: ROOM,
        }
    }

    /// Adds a note for people.
    pub fn note(&mut self, text: &str) {
        self.status
            .messages
            .push(said(MessageType::MessageSystem, text, &rfc3339_now()));
    }

    /// Adds a note of something that the agent has to do without.
    pub fn warn(&mut self, text: &str) {
        self.note(&format!("⚠️ Warning: {text}"));
    }

    /// Lets the model's message grow, or begins it.
    pub fn append(&mut self, text: &str) {
        stigmer_fault::inject!(CompletedTooEarly, {
            self.status.set_phase(ExecutionPhase::ExecutionCompleted);
        });
        match self.status.messages.last_mut() {
            Some(last) if last.r#type() == MessageType::MessageAi => last.content.push_str(text),
            _ => self
                .status
                .messages
                .push(said(MessageType::MessageAi, text, &rfc3339_now())),
        }
    }

    /// The answer has ended; the figures go with the model's message, if it said something. `model` is
    /// the one that was asked; what the server calls it is told as well where that differs.
    pub fn answered(&mut self, model: &str, figures: &Figures) {
        let last = self.status.messages.last_mut();
        if let Some(last) = last.filter(|last| last.r#type() == MessageType::MessageAi) {
            last.metadata = Some(to_struct(metadata(model, figures)));
        }
    }

    /// Completed.
    pub fn complete(&mut self) {
        stigmer_fault::inject!(MessageDropped, {
            self.status.messages.pop();
        });
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
        self.end_calls();
        self.end_sub_agents();
        self.status.set_phase(phase);
        self.status.completed_at = rfc3339_now();
    }
}

/// What the workflow is told of an execution whose whole `status` the server has: how it ended, and the
/// last answer. A whole status can be larger than Temporal takes.
pub fn outcome(status: AgentExecutionStatus) -> AgentExecutionStatus {
    let mut answers = status.messages;
    answers.retain(|message| message.r#type() == MessageType::MessageAi);
    AgentExecutionStatus {
        messages: answers.pop().into_iter().collect(),
        phase: status.phase,
        error: status.error,
        started_at: status.started_at,
        completed_at: status.completed_at,
        ..Default::default()
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
        transcript.answered(
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
        transcript.complete();
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
    fn the_workflow_is_told_the_end_and_the_last_answer() {
        let mut transcript = Transcript::begin("Hi");
        transcript.append("Let me see.");
        transcript.note("a tool was called");
        transcript.append("It is 42.");
        transcript.complete();
        let told = outcome(transcript.status().clone());
        assert_eq!(kinds(&told), [(MessageType::MessageAi, "It is 42.")]);
        assert_eq!(told.phase(), ExecutionPhase::ExecutionCompleted);
        assert_eq!(told.completed_at, transcript.status().completed_at);
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
