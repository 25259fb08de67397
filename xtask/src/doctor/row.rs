//! One checked prerequisite, and how it is shown.

use serde::{Serialize, Serializer};
use stigmer_e2e_plan::{ExitCode, Output, Style, columns};

use super::Remedy;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// All is well.
    Ok,
    /// It works without, but less well, or not for everything.
    Warning,
    /// It does not work without.
    Missing,
}

/// A checked prerequisite.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// How the check went.
    pub state: State,
    /// The prerequisite.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Who needs it.
    pub needed_for: String,
    /// How to get it; empty if all is well.
    pub get_it: String,
    /// What `--fix` can do about it.
    #[serde(skip)]
    pub remedy: Option<Remedy>,
    /// What a run without it ends with.
    #[serde(serialize_with = "as_number")]
    pub code: ExitCode,
}

fn as_number<S: Serializer>(code: &ExitCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(*code as u8)
}

impl Row {
    /// All is well.
    pub fn ok(
        what: impl Into<String>,
        found: impl Into<String>,
        needed_for: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Ok,
            what: what.into(),
            found: found.into(),
            needed_for: needed_for.into(),
            get_it: String::new(),
            remedy: None,
            code: ExitCode::PrerequisiteMissing,
        }
    }

    /// The same, with a shortcoming that people have to see to.
    pub fn but(self, state: State, get_it: impl Into<String>) -> Self {
        Self {
            state,
            get_it: get_it.into(),
            ..self
        }
    }

    /// The same, with a shortcoming that has a remedy.
    pub fn lacks(self, state: State, remedy: Remedy) -> Self {
        Self {
            state,
            get_it: remedy.as_text(),
            remedy: Some(remedy),
            ..self
        }
    }

    /// The same, with another exit code.
    pub fn code(self, code: ExitCode) -> Self {
        Self { code, ..self }
    }
}

/// Rows for people, one line each.
pub fn table(rows: &[&Row], output: Output) -> String {
    let line = |row: &&Row| match row.state {
        State::Ok => vec!["ok".to_owned(), row.what.clone(), row.found.clone()],
        state => {
            let word = if state == State::Missing {
                "missing"
            } else {
                "warning"
            };
            let rest = format!(
                "{} | needed for {} | {}",
                row.found, row.needed_for, row.get_it
            );
            vec![word.to_owned(), row.what.clone(), rest]
        }
    };
    let text = columns(&rows.iter().map(line).collect::<Vec<_>>());
    // Coloured after the columns were measured.
    let paint = |(row, line): (&&Row, &str)| {
        let (style, word) = match row.state {
            State::Ok => (Style::Green, "ok"),
            State::Warning => (Style::Yellow, "warning"),
            State::Missing => (Style::Red, "missing"),
        };
        format!("  {}", line.replacen(word, &output.paint(style, word), 1))
    };
    rows.iter()
        .zip(text.lines())
        .map(paint)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_one_line_with_what_who_and_how() {
        let good = Row::ok("git", "2.39.5", "naming the revision in results");
        let bad = Row::ok("C compiler", "`cc` is not on PATH", "building")
            .but(State::Missing, "Debian: apt-get install gcc");
        let text = table(&[&good, &bad], Output::plain(false));
        assert_eq!(
            text,
            "  ok       git         2.39.5\n  \
             missing  C compiler  `cc` is not on PATH | needed for building | Debian: apt-get install gcc"
        );
    }

    #[test]
    fn a_row_is_an_object_for_machines() {
        let row = Row::ok("git", "2.39.5", "x");
        let json = serde_json::to_value(&row).expect("encodes");
        assert_eq!(json["state"], "ok");
        assert_eq!(json["code"], 96);
        assert!(json.get("remedy").is_none());
    }
}
