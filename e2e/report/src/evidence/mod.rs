//! What was recorded about a test, each kind of file turned into entries on one line of time.

pub mod calls;
pub mod cli;
pub mod edges;
pub mod history;
pub mod logs;

use serde::Serialize;
use serde_json::Value;

/// Something that happened.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Milliseconds from the start of the test.
    pub at: f64,
    /// Where it was seen: `step`, `cli`, `grpc`, `llm`, `hub`, `temporal`, or a component's log.
    pub lane: String,
    /// Whether it is what a reader looks for in a red test.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bad: bool,
    /// One line.
    pub text: String,
    /// What the line opens to, such as a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The longest detail of an entry, in bytes; the file has the rest.
const DETAIL: usize = 16 * 1024;

impl Entry {
    fn new(at: f64, lane: &str, text: impl Into<String>) -> Self {
        Self {
            at,
            lane: lane.to_owned(),
            bad: false,
            text: text.into(),
            detail: None,
        }
    }

    fn bad_if(mut self, bad: bool) -> Self {
        self.bad = bad;
        self
    }

    fn with_detail(mut self, detail: &str) -> Self {
        self.detail = Some(shortened(detail, DETAIL));
        self
    }
}

/// The sentences of the story.
pub fn steps(record: &Value) -> Vec<Entry> {
    let steps = record["steps"].as_array().map_or(&[][..], Vec::as_slice);
    steps
        .iter()
        .map(|step| {
            let at = step["at_ms"].as_f64().unwrap_or_default();
            Entry::new(at, "step", step["text"].as_str().unwrap_or_default())
        })
        .collect()
}

/// `text`, or its beginning and a word on what is missing.
fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default();
    format!(
        "{}\n… {} more bytes in the file",
        &text[..end],
        text.len() - end
    )
}

/// JSON for people.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_is_cut_between_characters_and_says_so() {
        let text = "ä".repeat(10);
        assert_eq!(shortened(&text, 20), text);
        assert_eq!(shortened(&text, 5), "ää\n… 16 more bytes in the file");
    }
}
