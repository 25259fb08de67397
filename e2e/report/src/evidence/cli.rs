//! `cli/NN-*.txt`: what a command wrote, line by line.

use camino::Utf8Path;

use super::Entry;
use crate::read;

/// Commands of the CLI whose next word is a command, too.
const GROUPS: [&str; 7] = [
    "server",
    "config",
    "backend",
    "skill",
    "agent",
    "workflow",
    "execution",
];
/// All commands of the CLI.
const COMMANDS: [&str; 12] = [
    "server",
    "config",
    "backend",
    "skill",
    "agent",
    "workflow",
    "execution",
    "apply",
    "run",
    "new",
    "completion",
    "help",
];

/// A transcript.
pub struct Command<'a> {
    line: &'a str,
    /// Milliseconds from the start of the test.
    began: f64,
    /// Milliseconds from `began`, the stream, and the text.
    output: Vec<(f64, &'a str, &'a str)>,
    ending: &'a str,
}

impl<'a> Command<'a> {
    /// Understands a transcript: `$ …`, `[started at N ms]`, lines of output, `[exit status: …]`.
    pub fn read(text: &'a str) -> Self {
        let mut command = Self {
            line: "",
            began: 0.0,
            output: Vec::new(),
            ending: "still running",
        };
        for line in text.lines() {
            if let Some(typed) = line.strip_prefix("$ ") {
                command.line = typed;
            } else if let Some(began) = bracket(line, "[started at ", " ms]") {
                command.began = began.parse().unwrap_or_default();
            } else if let Some(ending) = bracket(line, "[", "]") {
                command.ending = ending;
            } else if let Some(output) = output(line) {
                command.output.push(output);
            }
        }
        command
    }

    /// The words that say what was asked for, such as `stigmer server status`.
    pub fn verb(&self) -> String {
        let mut words = self.line.split_whitespace();
        let program = words.next().unwrap_or_default();
        // Only the command itself can be told from the value of a flag before it.
        let Some(command) = words.find(|word| COMMANDS.contains(word)) else {
            return program.to_owned();
        };
        let word = words
            .next()
            .filter(|word| GROUPS.contains(&command) && !word.starts_with('-'));
        format!("{program} {command} {}", word.unwrap_or_default())
            .trim_end()
            .to_owned()
    }

    /// How it ended, without its time: `exit status: 0`.
    pub fn ending(&self) -> &str {
        self.ending.split(" after ").next().unwrap_or_default()
    }
}

fn bracket<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.strip_suffix(after)
}

/// `    0.019 out | text`.
fn output(line: &str) -> Option<(f64, &str, &str)> {
    let (head, text) = line.split_once(" |")?;
    let (seconds, stream) = head.trim_start().split_once(' ')?;
    Some((
        seconds.parse::<f64>().ok()? * 1000.0,
        stream,
        text.strip_prefix(' ').unwrap_or(text),
    ))
}

/// The commands of a test and all that they wrote.
pub fn entries(folder: &Utf8Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    for file in read::entries(folder) {
        let Some(text) = read::text(&file) else {
            continue;
        };
        let command = Command::read(&text);
        entries.push(Entry::new(
            command.began,
            "cli",
            format!("$ {}", command.line),
        ));
        let mut last = command.began;
        for (after, stream, text) in &command.output {
            last = command.began + after;
            if text.trim().is_empty() {
                continue;
            }
            entries.push(Entry::new(last, "cli", *text).bad_if(*stream == "err"));
        }
        entries.push(Entry::new(last, "cli", format!("[{}]", command.ending)));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_is_understood_line_by_line() {
        let text = "$ stigmer --output json server status\n[started at 40 ms]\n    0.010 out | one\n    0.020 err | \n[exit status: 1 after 25ms]\n";
        let command = Command::read(text);
        assert_eq!(command.verb(), "stigmer server status");
        assert_eq!(command.ending(), "exit status: 1");
        assert_eq!(command.output, [(10.0, "out", "one"), (20.0, "err", "")]);
        assert_eq!(command.began, 40.0);
        assert_eq!(Command::read("$ stigmer apply").ending(), "still running");
    }
}
