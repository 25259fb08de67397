//! An agent at work: the model is asked, the tools it asks for are called, their results go back to
//! it, until it answers without asking for more.

mod budget;
mod calls;
mod repetition;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    environment::Environment,
    llm::{ChatMessage, ChatRequest, LlmClient, LlmError, ToolRequest},
    report::Record,
    tools::Toolbox,
    transcript::Speaker,
};

pub use self::budget::Budget;
use self::repetition::Repetition;

/// Why a turn has no answer.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The model did not answer.
    #[error(transparent)]
    Llm(#[from] LlmError),
    /// The model was asked too often.
    #[error(
        "the model was asked {0} times without coming to an answer; raise STIGMER_AGENT_MAX_TURNS if the task needs more"
    )]
    TooManyTurns(u32),
    /// The model goes round in circles.
    #[error(
        "the model called {name} {times} times with the same arguments {arguments}: it makes no progress"
    )]
    Repeats {
        /// The tool.
        name: String,
        /// How often.
        times: usize,
        /// With what.
        arguments: String,
    },
}

/// What all agents of one execution work with.
#[derive(Clone)]
pub struct TurnContext {
    /// Where models are.
    pub llm: LlmClient,
    /// The model to ask.
    pub model: String,
    /// How freely it chooses its words.
    pub temperature: Option<f64>,
    /// How often it may be asked.
    pub budget: Arc<Budget>,
    /// What must not be repeated.
    pub environment: Arc<Environment>,
    /// Where everything is written down.
    pub record: Record,
}

/// What the model says to one request.
struct Answer {
    text: String,
    requests: Vec<ToolRequest>,
}

impl TurnContext {
    /// Goes on with `messages` until the model has answered, and gives its last words.
    ///
    /// # Errors
    ///
    /// When it does not come to an answer. What a tool gets wrong is for the model to deal with.
    pub async fn run(
        &self,
        speaker: &Speaker,
        mut messages: Vec<ChatMessage>,
        tools: &Toolbox,
    ) -> Result<String, TurnError> {
        let mut repetition = Repetition::default();
        loop {
            self.budget.take()?;
            let answer = self.ask(speaker, &messages, tools).await?;
            if answer.requests.is_empty() {
                return Ok(answer.text);
            }
            let results =
                calls::run(self, speaker, tools, &mut repetition, &answer.requests).await?;
            messages.push(ChatMessage::asking(answer.text, answer.requests));
            messages.extend(results);
        }
    }

    /// Asks once. What the agent itself says grows in the record as it comes.
    async fn ask(
        &self,
        speaker: &Speaker,
        messages: &[ChatMessage],
        tools: &Toolbox,
    ) -> Result<Answer, LlmError> {
        let request = ChatRequest {
            model: &self.model,
            messages,
            tools: tools.specs(),
            temperature: self.temperature,
        };
        let mut stream = self.llm.chat(&request).await?;
        let mut text = String::new();
        while let Some(piece) = stream.next().await? {
            if *speaker == Speaker::Agent {
                self.record.update(|transcript| transcript.append(&piece));
            }
            text.push_str(&piece);
        }
        let figures = stream.figures();
        tracing::info!(?speaker, model = self.model, ?figures, "the model answered");
        if *speaker == Speaker::Agent && !text.is_empty() {
            self.record
                .update(|transcript| transcript.answered(&self.model, &figures));
        }
        Ok(Answer {
            text,
            requests: stream.tool_requests(),
        })
    }
}
