//! Lines with a mark in front, on standard output.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal, Write},
};

/// What stands before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    None,
    Success,
    Error,
    Info,
    Warning,
}

impl Mark {
    /// The text before the line and its ANSI style.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("", ""),
            Self::Success => ("✓ ", "\x1b[1;32m"),
            Self::Error => ("✗ ", "\x1b[1;31m"),
            Self::Info => ("ℹ ", "\x1b[36m"),
            Self::Warning => ("⚠ ", "\x1b[33m"),
        }
    }
}

/// One line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub mark: Mark,
    pub text: String,
}

impl Line {
    /// A line with `mark` before `text`.
    pub fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self {
            mark,
            text: text.into(),
        }
    }

    /// A line as it is.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(Mark::None, text)
    }
}

/// Something to show while an execution is followed: a line, or text that goes on where the last
/// text ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Line(Line),
    Text(String),
}

/// Standard output as people see it. Writing to a reader that has gone away is no error: the
/// command still does its work and says how it went by its exit code.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    silent: bool,
    colour: bool,
}

impl Screen {
    /// A screen that shows everything, in colour on a terminal.
    pub fn text() -> Self {
        Self {
            silent: false,
            colour: io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none(),
        }
    }

    /// A screen that shows nothing.
    pub fn silent() -> Self {
        Self {
            silent: true,
            colour: false,
        }
    }

    /// Shows a line.
    pub fn line(&self, line: &Line) {
        let (prefix, style) = line.mark.parts();
        let text = &line.text;
        match self.colour && !style.is_empty() {
            true => self.write(&format!("{style}{prefix}{text}\x1b[0m\n")),
            false => self.write(&format!("{prefix}{text}\n")),
        }
    }

    /// Shows a piece.
    pub fn piece(&self, piece: &Piece) {
        match piece {
            Piece::Line(line) => self.line(line),
            Piece::Text(text) => self.write(text),
        }
    }

    /// Shows a line about something that worked.
    pub fn success(&self, text: impl Display) {
        self.line(&Line::new(Mark::Success, text.to_string()));
    }

    /// Shows a line about something that did not work.
    pub fn error(&self, text: impl Display) {
        self.line(&Line::new(Mark::Error, text.to_string()));
    }

    /// Shows a line that asks for attention.
    pub fn warning(&self, text: impl Display) {
        self.line(&Line::new(Mark::Warning, text.to_string()));
    }

    /// Shows a line to know.
    pub fn info(&self, text: impl Display) {
        self.line(&Line::new(Mark::Info, text.to_string()));
    }

    /// Shows text and ends the line.
    pub fn plain(&self, text: impl Display) {
        self.line(&Line::plain(text.to_string()));
    }

    /// Shows an empty line.
    pub fn blank(&self) {
        self.write("\n");
    }

    fn write(&self, text: &str) {
        if !self.silent {
            let mut stdout = io::stdout().lock();
            let _ = stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush());
        }
    }
}

/// Writes `text` to standard error as it is. Like the screen, it does not mind a reader that has
/// gone away.
pub fn to_stderr(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
