//! What a finished command left: exit code, streams, and what can be read out of them.

use std::time::Duration;

use camino::Utf8PathBuf;
use stigmer_api::{ApiResourceKind, id::is_id};

use super::{Line, Stream, Table, transcript::render};
use crate::harness::Broken;

/// A finished command.
#[derive(Clone, Debug)]
pub struct CliOutput {
    /// What was typed.
    pub command_line: String,
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
    /// Both, line by line in the order of their arrival.
    pub lines: Vec<Line>,
    /// From its start to its end.
    pub duration: Duration,
    /// The file with the transcript.
    pub path: Utf8PathBuf,
}

/// A command that could not be used to its end.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// It could not be started.
    #[error("`{command_line}` could not be started: {reason}")]
    NotStarted {
        /// What was typed.
        command_line: String,
        /// The reason.
        reason: String,
    },
    /// It was still running when its time was up.
    #[error("`{command_line}` did not end within {limit:?}; its output so far:\n{transcript}")]
    TimedOut {
        /// What was typed.
        command_line: String,
        /// The time it had.
        limit: Duration,
        /// Its output.
        transcript: String,
    },
    /// A line that had to come did not.
    #[error("`{command_line}` printed no line with {awaited}: {why}; its output:\n{transcript}")]
    NoLine {
        /// What was typed.
        command_line: String,
        /// The line, in words.
        awaited: String,
        /// Why the wait ended.
        why: String,
        /// Its output.
        transcript: String,
    },
}

impl CliOutput {
    /// Checks the exit code.
    ///
    /// # Errors
    ///
    /// When it is another one; the text has the transcript.
    pub fn exited_with(&self, code: i32) -> Result<&Self, Broken> {
        crate::ensure!(
            self.code == Some(code),
            "`{}` ended with {}, not with code {code}; its output:\n{}",
            self.command_line,
            self.end(),
            render(&self.lines)
        );
        Ok(self)
    }

    /// Checks that the output, standard output or error, holds `text`.
    ///
    /// # Errors
    ///
    /// When it does not; the text has the transcript.
    pub fn says(&self, text: &str) -> Result<&Self, Broken> {
        crate::ensure!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "`{}` did not print {text:?}; its output:\n{}",
            self.command_line,
            render(&self.lines)
        );
        Ok(self)
    }

    /// Checks that a line of the output ends with `text`, which [`says`](Self::says) cannot tell
    /// from a line that goes on, such as with a longer name.
    ///
    /// # Errors
    ///
    /// When none does; the text has the transcript.
    pub fn says_at_line_end(&self, text: &str) -> Result<&Self, Broken> {
        crate::ensure!(
            self.lines.iter().any(|line| line.text.ends_with(text)),
            "`{}` printed no line that ends with {text:?}; its output:\n{}",
            self.command_line,
            render(&self.lines)
        );
        Ok(self)
    }

    /// Checks that the output holds `text` nowhere.
    ///
    /// # Errors
    ///
    /// When it does; the text has the transcript.
    pub fn does_not_say(&self, text: &str) -> Result<&Self, Broken> {
        crate::ensure!(
            !self.stdout.contains(text) && !self.stderr.contains(text),
            "`{}` printed {text:?}; its output:\n{}",
            self.command_line,
            render(&self.lines)
        );
        Ok(self)
    }

    /// How often a line of either stream holds `text`.
    pub fn lines_with(&self, text: &str) -> usize {
        self.lines
            .iter()
            .filter(|line| line.text.contains(text))
            .count()
    }

    /// The lines of standard error that are not empty.
    pub fn error_lines(&self) -> Vec<&str> {
        let lines = self
            .lines
            .iter()
            .filter(|line| line.stream == Stream::Stderr && !line.text.trim().is_empty());
        lines.map(|line| line.text.as_str()).collect()
    }

    /// The table in the standard output.
    ///
    /// # Errors
    ///
    /// When there is none; the text has the transcript.
    pub fn table(&self) -> Result<Table, Broken> {
        Table::parse(&self.stdout).ok_or_else(|| {
            Broken(format!(
                "`{}` printed no table; its output:\n{}",
                self.command_line,
                render(&self.lines)
            ))
        })
    }

    /// The one JSON object that `--output json` prints, with nothing else on standard output.
    ///
    /// # Errors
    ///
    /// When there is something else; the text has the transcript.
    pub fn json(&self) -> Result<serde_json::Value, Broken> {
        let only_line = self.stdout.lines().count() == 1;
        let value = serde_json::from_str::<serde_json::Value>(&self.stdout).ok();
        value
            .filter(|value| only_line && value.is_object())
            .ok_or_else(|| {
                Broken(format!(
                    "`{}` did not print one JSON object; its output:\n{}",
                    self.command_line,
                    render(&self.lines)
                ))
            })
    }

    /// The id behind `Execution ID:`.
    ///
    /// # Errors
    ///
    /// When there is none of `kind`; the text has the transcript.
    pub fn execution_id(&self, kind: ApiResourceKind) -> Result<String, Broken> {
        let id = self.lines.iter().find_map(|line| execution_id(&line.text));
        id.filter(|id| is_id(kind, id))
            .map(str::to_owned)
            .ok_or_else(|| {
                Broken(format!(
                    "`{}` printed no id of a {kind:?}; its output:\n{}",
                    self.command_line,
                    render(&self.lines)
                ))
            })
    }

    fn end(&self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => format!("code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "no code".to_owned(),
        }
    }
}

/// The word behind `Execution ID:` in a line.
pub fn execution_id(line: &str) -> Option<&str> {
    line.split_once("Execution ID:")?
        .1
        .split_whitespace()
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &str) -> CliOutput {
        let line = |text: &str| Line {
            at: Duration::ZERO,
            stream: Stream::Stdout,
            text: text.to_owned(),
        };
        CliOutput {
            command_line: "stigmer run".to_owned(),
            code: Some(0),
            signal: None,
            stdout: stdout.to_owned(),
            stderr: String::new(),
            lines: stdout.lines().map(line).collect(),
            duration: Duration::ZERO,
            path: Utf8PathBuf::new(),
        }
    }

    #[test]
    fn an_execution_id_must_be_a_real_one_of_its_kind() {
        let good = output("ℹ   Execution ID: aex-01arz3ndektsv4rrffq69g5fav\n");
        assert_eq!(
            good.execution_id(ApiResourceKind::AgentExecution).unwrap(),
            "aex-01arz3ndektsv4rrffq69g5fav"
        );
        assert!(
            good.execution_id(ApiResourceKind::WorkflowExecution)
                .is_err()
        );
        assert!(
            output("Execution ID: \n")
                .execution_id(ApiResourceKind::AgentExecution)
                .is_err()
        );
    }

    #[test]
    fn json_is_one_object_and_nothing_else() {
        assert_eq!(output("{\"a\": 1}\n").json().unwrap()["a"], 1);
        for other in ["", "1\n", "{}\n{}\n", "loading\n{}\n", "{\n}\n"] {
            assert!(output(other).json().is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_wrong_exit_code_is_told_with_the_transcript() {
        let error = output("all is well\n")
            .exited_with(1)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("`stigmer run` ended with code 0, not with code 1"),
            "{error}"
        );
        assert!(error.contains("out | all is well"), "{error}");
    }
}
