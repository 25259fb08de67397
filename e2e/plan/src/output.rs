//! What the user sees. For people: one line per phase on stdout, progress on stderr. With `--json`:
//! one JSON object per line on stdout, and nothing else there.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use serde::Serialize;

use crate::{PhaseRecord, failure::ErrorEvent};

/// Columns that a phase's name and summary fill, so that times stand below each other.
const NAME_WIDTH: usize = 10;
const SUMMARY_WIDTH: usize = 52;

/// Where lines go, and how they look.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Machine-readable output.
    pub json: bool,
    colour: bool,
}

/// The few ways a word can stand out.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// Good news.
    Green,
    /// Needs attention.
    Yellow,
    /// Bad news.
    Red,
    /// Secondary.
    Dim,
}

impl Output {
    /// Output on this process's stdout: coloured on a terminal, unless `NO_COLOR` is set.
    pub fn new(json: bool) -> Self {
        let colour = std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { json, colour }
    }

    /// Output without colour.
    pub fn plain(json: bool) -> Self {
        Self {
            json,
            colour: false,
        }
    }

    /// Says how a phase went.
    pub fn phase(&self, record: &PhaseRecord) {
        self.step("phase", record.name.as_str(), record.ms, &record.summary);
    }

    /// Says how a step of another kind than a phase went. `event` names the kind to machines.
    pub fn step(&self, event: &'static str, name: &str, ms: u64, summary: &str) {
        self.object(&StepEvent {
            event,
            name,
            ms,
            summary,
        });
        self.line(&self.step_line(name, ms, summary));
    }

    fn step_line(&self, name: &str, ms: u64, summary: &str) -> String {
        let time = self.paint(
            Style::Dim,
            &format!("{:>8}", seconds(Duration::from_millis(ms))),
        );
        format!("  {name:<NAME_WIDTH$} {summary:<SUMMARY_WIDTH$} {time}")
    }

    /// Says something to people; `--json` has no use for it.
    pub fn note(&self, text: &str) {
        self.line(&format!("  {text}"));
    }

    /// Prints a line for people.
    pub fn line(&self, text: &str) {
        if !self.json {
            print(text);
        }
    }

    /// Prints one JSON object on a line of its own, if JSON was asked for.
    pub fn object<T: Serialize>(&self, value: &T) {
        if self.json {
            // The values printed here are plain structs with string keys, which always encode.
            print(&serde_json::to_string(value).expect("a plain struct encodes as JSON"));
        }
    }

    /// Says why the verb cannot go on.
    pub fn error(&self, error: &anyhow::Error) {
        self.object(&ErrorEvent::new(error));
        eprintln!("{}: {error:#}", self.paint(Style::Red, "error"));
    }

    /// `text`, coloured if the output is.
    pub fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Green => 32,
            Style::Yellow => 33,
            Style::Red => 31,
            Style::Dim => 2,
        };
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Prints a line on stdout. A reader that went away (`| head`) ends no run: the results are files.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[derive(Serialize)]
struct StepEvent<'a> {
    event: &'static str,
    name: &'a str,
    ms: u64,
    summary: &'a str,
}

/// A duration as people read it: tenths of a second.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// A size as people read it.
pub fn size(bytes: u64) -> String {
    match bytes as f64 {
        gigabytes if gigabytes >= 1e9 => format!("{:.1} GB", gigabytes / 1e9),
        bytes => format!("{:.1} MB", bytes / 1e6),
    }
}

/// `1 tool`, `2 tools`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Rows as left-aligned columns, two spaces apart; the last column is not padded.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..count)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_one_line_with_its_time_on_the_right() {
        let line = Output::plain(false).step_line("provision", 120, "4 tools, all cached");
        assert_eq!(
            line,
            "  provision  4 tools, all cached                                     0.1 s"
        );
    }

    #[test]
    fn sizes_are_read_in_the_unit_that_fits() {
        assert_eq!(
            (size(44_508_240).as_str(), size(72_164_300_000).as_str()),
            ("44.5 MB", "72.2 GB")
        );
    }

    #[test]
    fn columns_stand_below_each_other_and_leave_no_trailing_space() {
        let rows = [
            vec!["a".into(), "long".into(), "x".into()],
            vec!["bbb".into(), "s".into(), String::new()],
        ];
        assert_eq!(columns(&rows), "a    long  x\nbbb  s\n");
    }
}
