//! Where a command tells what it did: lines for people, or one JSON object for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::Screen;

/// Who reads standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object on standard output.
    Json,
}

/// Standard output in the format that was asked for. A command does both, show lines and report;
/// only one of them is seen.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: OutputFormat,
    screen: Screen,
}

impl Output {
    /// Standard output in `format`.
    pub fn new(format: OutputFormat) -> Self {
        let screen = match format {
            OutputFormat::Text => Screen::text(),
            OutputFormat::Json => Screen::silent(),
        };
        Self { format, screen }
    }

    /// Where lines for people go; nowhere when a program reads.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Prints `report` as one line of JSON when a program reads. A command reports once.
    pub fn report<T: Serialize + ?Sized>(&self, report: &T) {
        if self.is_json() {
            // Reports hold texts, numbers, lists, and enums only.
            let json = serde_json::to_string(report).expect("a report is JSON");
            // A reader that has gone away does not change what was done.
            let _ = writeln!(io::stdout(), "{json}");
        }
    }
}
