//! What counts as an answer of a model. Checks are hard (a model that works always passes) or
//! graded (a model that works usually passes). Pure, so that it is judged without a model: its table
//! of good and bad texts is scenario FUL-07 of the suite.

use regex_lite::Regex;
use stigmer_api::agent_execution::{AgentExecution, AgentMessage, MessageType};

/// The shortest text that counts as an answer, in characters.
pub const SHORTEST: usize = 10;

/// Why a text is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Nothing but white space, or no AI message at all.
    #[error("there is no answer: the last AI message is empty or missing")]
    Empty,
    /// Too short, white space around it not counted.
    #[error("the answer has {length} characters, fewer than {SHORTEST}: {text:?}")]
    TooShort {
        /// Its length in characters.
        length: usize,
        /// The text.
        text: String,
    },
    /// One character over and over.
    #[error("the answer is the letter {letter:?} {length} times")]
    OneLetter {
        /// The letter.
        letter: char,
        /// The length of the text in characters.
        length: usize,
    },
    /// Not made of words.
    #[error(
        "the answer has {letters} letters and {spaces} spaces in {length} characters, so no words: {text:?}"
    )]
    NoWords {
        /// How many letters it has.
        letters: usize,
        /// How much white space it has.
        spaces: usize,
        /// Its length in characters.
        length: usize,
        /// The text.
        text: String,
    },
    /// A program's stack trace.
    #[error("the answer ({length} characters) holds a stack trace: {line:?}")]
    StackTrace {
        /// Its length in characters.
        length: usize,
        /// The line that gives it away.
        line: String,
    },
    /// An error text in place of an answer.
    #[error("the answer ({length} characters) is an error text: {line:?}")]
    ErrorText {
        /// Its length in characters.
        length: usize,
        /// The line that gives it away.
        line: String,
    },
}

/// The last AI message, whatever other messages follow it.
pub fn answer_message(execution: &AgentExecution) -> Option<&AgentMessage> {
    let messages = execution
        .status
        .as_ref()
        .map_or(&[][..], |status| &status.messages);
    messages
        .iter()
        .rev()
        .find(|m| m.r#type() == MessageType::MessageAi)
}

/// The content of the last AI message, whatever other messages follow it.
pub fn answer_of(execution: &AgentExecution) -> Option<&str> {
    answer_message(execution).map(|message| message.content.as_str())
}

/// The hard check of an answer that may be a single word: that there is one.
///
/// # Errors
///
/// When `text` is empty or white space.
pub fn check_not_empty(text: &str) -> Result<(), NoAnswer> {
    if text.trim().is_empty() {
        return Err(NoAnswer::Empty);
    }
    Ok(())
}

/// The hard checks of an answer in prose.
///
/// # Errors
///
/// The first check that `text` fails.
pub fn check_answer(text: &str) -> Result<(), NoAnswer> {
    check_not_empty(text)?;
    let text = text.trim();
    let length = text.chars().count();
    if length < SHORTEST {
        return Err(NoAnswer::TooShort {
            length,
            text: text.to_owned(),
        });
    }
    let mut distinct = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<Vec<_>>();
    distinct.dedup();
    if let [letter] = distinct[..] {
        return Err(NoAnswer::OneLetter { letter, length });
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let spaces = text.chars().filter(|c| c.is_whitespace()).count();
    if letters == 0 || spaces == 0 {
        return Err(NoAnswer::NoWords {
            letters,
            spaces,
            length,
            text: text.to_owned(),
        });
    }
    let prose = without_code_blocks(text);
    if let Some(line) = first_line_matching(&prose, STACK_TRACE) {
        return Err(NoAnswer::StackTrace { length, line });
    }
    // Only at the beginning: further down, an answer may well talk about errors.
    let head = prose
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    if let Some(line) = first_line_matching(head, ERROR_TEXT) {
        return Err(NoAnswer::ErrorText { length, line });
    }
    Ok(())
}

/// What of an answer is the model's own: every copy of a text that the model was `given` is taken
/// out, whatever its case and white space. A part of such a text stays: `Hello!` is a fine answer to
/// a longer text that begins with it.
pub fn own_words(answer: &str, given: &[&str]) -> String {
    let mut own = answer.to_owned();
    for text in given.iter().filter(|text| !text.trim().is_empty()) {
        let words = text.split_whitespace().map(regex_lite::escape);
        let copy = format!("(?i){}", words.collect::<Vec<_>>().join(r"\s+"));
        let copy = Regex::new(&copy).expect("escaped words are a valid pattern");
        own = copy.replace_all(&own, " ").into_owned();
    }
    own.trim().to_owned()
}

/// A graded check: whether the answer greets.
pub fn greets(text: &str) -> bool {
    const GREETINGS: [&str; 9] = [
        "hello",
        "hi",
        "hey",
        "greetings",
        "welcome",
        "howdy",
        "hiya",
        "morning",
        "afternoon",
    ];
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| GREETINGS.contains(&word))
}

/// Lines that only a runtime prints.
const STACK_TRACE: &str = r#"(?x)
      ^\s*Traceback\ \(most\ recent\ call\ last\)
    | ^\s*File\ ".+",\ line\ \d+
    | ^\s*at\ \S+\ ?\(.+:\d+(:\d+)?\)
    | ^\s*goroutine\ \d+\ \[
    | ^\s*thread\ '.*'\ .*panicked\ at
    | ^\s*stack\ backtrace:
    | ^\s*\d+:\ +0x[0-9a-f]+\ -
"#;

/// How an error text begins.
const ERROR_TEXT: &str = r#"(?ix)
      ^\W*(system\ |internal\ |fatal\ )?error:
    | ^\W*execution\ failed
    | ^\W*\{\s*"error"
    | ^\W*(http|status)\ ?(code)?\ ?[45]\d\d\b
    | ^\W*model\ .{1,80}\ not\ found
    | ^\W*connection\ (refused|reset)
"#;

fn first_line_matching(text: &str, pattern: &str) -> Option<String> {
    // Both patterns are constants; the tests below compile them.
    let pattern = Regex::new(pattern).expect("a valid pattern");
    text.lines()
        .find(|line| pattern.is_match(line))
        .map(str::to_owned)
}

/// A review may quote any trace it likes inside a code block.
fn without_code_blocks(text: &str) -> String {
    let mut inside = false;
    let outside = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    outside.collect::<Vec<_>>().join("\n")
}
