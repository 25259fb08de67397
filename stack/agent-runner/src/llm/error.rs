//! How asking a model fails.

use std::time::Duration;

/// The longest piece of a foreign text that an error repeats, in characters.
const EXCERPT: usize = 500;

/// The model did not answer as it should.
#[derive(Debug, thiserror::Error)]
#[error("POST {url} {what}")]
pub struct LlmError {
    /// What was called.
    pub url: String,
    /// What came back.
    pub what: Failure,
}

/// What came back in place of an answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing.
    #[error("got no answer from the LLM: {0}; is it running, and is STIGMER_LLM_BASE_URL right?")]
    Unreachable(String),
    /// An HTTP error.
    #[error("was answered {status}: {body}")]
    Status {
        /// Code and reason, such as `429 Too Many Requests`.
        status: String,
        /// The beginning of its body.
        body: String,
    },
    /// Something other than an event stream.
    #[error("was answered with {content_type} in place of an event stream: {body}")]
    NotAStream {
        /// The content type, or `no content type`.
        content_type: String,
        /// The beginning of its body.
        body: String,
    },
    /// An event stream that broke off.
    #[error("lost the connection after {characters} characters of the answer: {cause}")]
    Lost {
        /// How much of the answer had come.
        characters: usize,
        /// What the transport met.
        cause: String,
    },
    /// An event stream in which nothing happens any more.
    #[error("sent nothing more for {} s in the middle of the answer", .0.as_secs())]
    Stalled(Duration),
    /// An event stream that cannot be read.
    #[error("sent an event stream that cannot be read: {0}")]
    Unreadable(#[from] super::sse::SseError),
    /// An answer that cannot be used.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// The answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// An event is not a chunk of a chat completion.
    #[error("sent something that is not a chat completion chunk ({reason}): {}", excerpt(.data))]
    Malformed {
        /// The event.
        data: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server reports an error in the middle of the stream.
    #[error("reported an error in the stream: {}", excerpt(.0))]
    Reported(String),
    /// The stream ended before the answer did.
    #[error("ended the stream before the answer was complete, after {characters} characters")]
    Cut {
        /// How much of the answer had come.
        characters: usize,
    },
    /// There is no text.
    #[error("answered with no text (finish reason: {})", .finish_reason.as_deref().unwrap_or("none"))]
    Empty {
        /// Why the model stopped.
        finish_reason: Option<String>,
    },
    /// The model asks for tools without end.
    #[error("asked for more than 64 tools at once, or for one with more than 1 MiB of arguments")]
    TooManyTools,
}

/// The beginning of `text` on one line.
pub fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "(empty)".to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(" {\n  \"error\": 1\n}\n"), r#"{ "error": 1 }"#);
        assert_eq!(excerpt(""), "(empty)");
        assert_eq!(excerpt(&"é".repeat(600)).chars().count(), 501);
    }
}
