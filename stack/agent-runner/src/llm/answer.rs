//! An answer, put together from the chunks of a streamed chat completion.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::{
    error::AnswerError,
    tool_request::{Piece, ToolRequest, ToolRequests},
};

const DONE: &str = "[DONE]";

/// What is known of an answer so far, its text aside.
#[derive(Debug, Default)]
pub struct Answer {
    /// The model that answers, as it names itself.
    pub model: Option<String>,
    /// Why it stopped, such as `stop` or `length`.
    pub finish_reason: Option<String>,
    /// What it cost.
    pub usage: Option<Usage>,
    characters: usize,
    blank: bool,
    tools: ToolRequests,
    done: bool,
}

/// Tokens read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Tokens of the request.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    #[serde(default)]
    pub completion_tokens: u64,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    model: Option<String>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Piece>>,
}

impl Answer {
    /// An answer of which nothing is known.
    pub fn new() -> Self {
        Self {
            blank: true,
            ..Self::default()
        }
    }

    /// Takes the data of one event and gives the text that it adds.
    pub fn take(&mut self, data: &str) -> Result<Option<String>, AnswerError> {
        if data.trim() == DONE {
            self.done = true;
            return Ok(None);
        }
        let chunk = serde_json::from_str::<Chunk>(data).map_err(|e| AnswerError::Malformed {
            data: data.to_owned(),
            reason: e.to_string(),
        })?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(AnswerError::Reported(message_of(&error)));
        }
        self.model = self.model.take().or(chunk.model);
        self.usage = chunk.usage.or(self.usage);
        let mut added = String::new();
        for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
            added.push_str(&choice.delta.content.unwrap_or_default());
            let calls = choice.delta.tool_calls.unwrap_or_default();
            for call in calls {
                self.tools.take(call)?;
            }
            self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
        }
        self.characters += added.chars().count();
        self.blank &= added.trim().is_empty();
        Ok(Some(added).filter(|text| !text.is_empty()))
    }

    /// The tools that the model asks for, in its order, each with an id.
    pub fn tool_requests(&self) -> Vec<ToolRequest> {
        self.tools.requests()
    }

    /// Whether the model has begun to answer.
    pub fn has_begun(&self) -> bool {
        self.characters > 0 || !self.tools.is_empty()
    }

    /// Whether the server said that nothing follows.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the model said why it stopped; only figures may follow.
    pub fn is_finished(&self) -> bool {
        self.done || self.finish_reason.is_some()
    }

    /// How much of its text has come, in characters.
    pub fn characters(&self) -> usize {
        self.characters
    }

    /// Whether the data of an event is all there.
    pub fn is_whole(data: &str) -> bool {
        data.trim() == DONE || serde_json::from_str::<IgnoredAny>(data).is_ok()
    }

    /// Checks that the answer, whose stream has ended, is whole and says something.
    pub fn check(&self) -> Result<(), AnswerError> {
        if !self.is_finished() {
            return Err(AnswerError::Cut {
                characters: self.characters,
            });
        }
        if self.blank && self.tools.is_empty() {
            return Err(AnswerError::Empty {
                finish_reason: self.finish_reason.clone(),
            });
        }
        Ok(())
    }
}

/// The text in an error, which is an object with a message, a text, or something else.
fn message_of(error: &Value) -> String {
    match error.get("message").unwrap_or(error) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> String {
        serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string()
    }

    const STOP: &str = r#"{"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

    #[test]
    fn texts_reason_model_and_usage_are_gathered() {
        let mut answer = Answer::new();
        assert_eq!(
            answer
                .take(r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#)
                .unwrap(),
            None
        );
        assert_eq!(
            answer.take(&content("Hello")).unwrap().as_deref(),
            Some("Hello")
        );
        assert_eq!(
            answer.take(&content(" there")).unwrap().as_deref(),
            Some(" there")
        );
        answer.take(STOP).unwrap();
        answer.take(r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#).unwrap();
        assert!(answer.is_finished() && !answer.is_done());
        answer.take("[DONE]").unwrap();
        assert!(answer.is_done());
        answer.check().unwrap();
        assert_eq!(
            (answer.model.as_deref(), answer.finish_reason.as_deref()),
            (Some("m"), Some("stop"))
        );
        assert_eq!(
            answer.usage,
            Some(Usage {
                prompt_tokens: 7,
                completion_tokens: 2
            })
        );
    }

    #[test]
    fn other_choices_are_not_mixed_in() {
        let mut answer = Answer::new();
        let data = r#"{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}"#;
        assert_eq!(answer.take(data).unwrap().as_deref(), Some("a"));
    }

    #[test]
    fn a_stream_that_just_stops_is_cut() {
        let mut answer = Answer::new();
        answer.take(&content("Hel")).unwrap();
        assert!(matches!(
            answer.check().unwrap_err(),
            AnswerError::Cut { characters: 3 }
        ));
    }

    #[test]
    fn white_space_is_no_answer() {
        let mut answer = Answer::new();
        answer.take(&content(" \n")).unwrap();
        answer.take(STOP).unwrap();
        assert!(matches!(
            answer.check().unwrap_err(),
            AnswerError::Empty { .. }
        ));
    }

    #[test]
    fn errors_in_the_stream_carry_their_message() {
        for (data, message) in [
            (
                r#"{"error":{"message":"context too long","code":400}}"#,
                "context too long",
            ),
            (r#"{"error":"overloaded"}"#, "overloaded"),
            (r#"{"error":{"code":500}}"#, r#"{"code":500}"#),
        ] {
            let Err(AnswerError::Reported(text)) = Answer::new().take(data) else {
                panic!("{data}")
            };
            assert_eq!(text, message);
        }
    }

    #[test]
    fn what_is_not_a_chunk_is_malformed() {
        for data in ["{", "hello", "[1]", r#"{"choices": 7}"#] {
            assert!(
                matches!(Answer::new().take(data), Err(AnswerError::Malformed { .. })),
                "{data}"
            );
        }
    }
}
