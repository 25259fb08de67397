//! What was recorded about a test, each kind of file turned into entries on one line of time.

pub mod calls;
pub mod cli;
pub mod edges;
pub mod history;
pub mod logs;

use camino::Utf8Path;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::read;

/// Something that happened.
#[derive(Debug)]
pub struct Entry {
    /// Milliseconds from the start of the test.
    pub at: f64,
    /// Where it was seen: `step`, `wait`, `fault`, `cli`, `grpc`, `llm`, `hub`, `temporal`, or a
    /// component's log.
    pub lane: String,
    /// Whether it is what a reader looks for in a red test.
    pub bad: bool,
    /// One line.
    pub text: String,
    /// What the line opens to, such as a request.
    pub detail: Option<String>,
}

impl Serialize for Entry {
    /// As an array, because a page has tens of thousands of them: time, lane, text, bad, detail.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = (self.at * 10.0).round() / 10.0;
        let entry = (at, &self.lane, &self.text, u8::from(self.bad), &self.detail);
        match &self.detail {
            Some(_) => entry.serialize(serializer),
            None if self.bad => (at, &self.lane, &self.text, 1).serialize(serializer),
            None => (at, &self.lane, &self.text).serialize(serializer),
        }
    }
}

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

    fn with_detail(mut self, detail: &Value) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// The same with a detail of at most `limit` bytes; the file has the rest.
    pub fn shortened(mut self, limit: usize) -> Self {
        self.detail = self.detail.map(|detail| shortened(detail, limit));
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

/// What was waited for, and how long it took; from before there were times in it, nothing.
pub fn waits(record: &Value) -> Vec<Entry> {
    let waits = record["budgets"].as_array().map_or(&[][..], Vec::as_slice);
    let entry = |wait: &Value| {
        let number = |field: &str| wait[field].as_f64();
        let (at, used, limit) = (number("at_ms")?, number("used_ms")?, number("limit_ms")?);
        let text = |field: &str| wait[field].as_str().unwrap_or_default().to_owned();
        let spent = format!("{} ms of {} ms ({})", used, limit, text("name"));
        let shown = format!("{}: after {spent}", text("what"));
        Some(Entry::new(at + used, "wait", shown).bad_if(used >= limit))
    };
    waits.iter().filter_map(entry).collect()
}

/// `faults.jsonl`: what the test broke on purpose.
pub fn faults(folder: &Utf8Path) -> Vec<Entry> {
    let entry = |line: &Value| {
        let text = line["fault"].as_str().unwrap_or_default();
        Entry::new(line["at_ms"].as_f64().unwrap_or_default(), "fault", text)
    };
    let lines = read::json_lines(&folder.join("faults.jsonl"));
    lines.iter().map(entry).collect()
}

/// `text`, or its beginning and a word on what is missing.
fn shortened(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wait_is_told_at_its_end_and_is_what_one_looks_for_when_its_budget_is_used_up() {
        let wait = |at: u64, used: u64| json!({"name": "WF", "what": "it ends", "at_ms": at, "used_ms": used, "limit_ms": 60});
        let old = json!({"name": "WF", "what": "it ends", "used_ms": 1, "limit_ms": 60});
        let told = waits(&json!({"budgets": [wait(5, 20), wait(30, 61), old]}));
        let told: Vec<_> = told
            .iter()
            .map(|entry| (entry.at, entry.text.as_str(), entry.bad))
            .collect();
        assert_eq!(
            told,
            [
                (25.0, "it ends: after 20 ms of 60 ms (WF)", false),
                (91.0, "it ends: after 61 ms of 60 ms (WF)", true),
            ]
        );
    }

    #[test]
    fn a_long_detail_is_cut_between_characters_and_says_so() {
        let text = "ä".repeat(10);
        assert_eq!(shortened(text.clone(), 20), text);
        assert_eq!(shortened(text, 5), "ää\n… 16 more bytes in the file");
    }
}
