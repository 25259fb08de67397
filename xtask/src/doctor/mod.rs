//! What this machine needs, checked in parallel; each shortcoming is one line that says what, who
//! needs it, and how to get it.

pub mod checks;
mod fix;
mod row;

use std::thread;

use anyhow::Result;
use camino::Utf8PathBuf;
use stigmer_e2e_plan::{ExitCode, LlmChoice, Output, count, failure};

pub use checks::{rows_of_binaries, rows_of_tools};
pub use fix::{Remedy, apply};
pub use row::{Row, State, table};

use crate::{checkout::Checkout, host::Python, plan::Outline};

/// What a run asks of the machine.
#[derive(Clone, Debug)]
pub struct Needs {
    /// The pinned model has to answer.
    pub model: bool,
    /// Containers have to be started; what a machine without an engine is told.
    pub engine: Option<State>,
    /// Where results will be written.
    pub results: Utf8PathBuf,
}

impl Needs {
    /// The needs of a run.
    pub fn of(outline: &Outline) -> Self {
        Self {
            model: outline.llm == LlmChoice::LlamaCpp && !outline.allow_skip,
            engine: outline.runtime.needs_engine().then_some(State::Missing),
            results: outline.results.clone(),
        }
    }
}

/// The machine, before anything is fetched or built.
pub struct Host {
    /// What was checked.
    pub rows: Vec<Row>,
    /// The Python to use, or why there is none.
    pub python: Result<Python, String>,
}

/// Checks the machine.
pub fn look_at_host(checkout: &Checkout, needs: &Needs) -> Host {
    thread::scope(|scope| {
        let python = scope.spawn(Python::find);
        let engine = needs
            .engine
            .map(|lacking| scope.spawn(move || checks::engine(lacking)));
        let checks: [Box<dyn FnOnce() -> Row + Send>; 9] = [
            Box::new(checks::rust),
            Box::new(checks::c_compiler),
            Box::new(checks::git),
            Box::new(checks::cores),
            Box::new(checks::memory),
            Box::new(checks::clock),
            Box::new(|| checks::build_space(checkout)),
            Box::new(|| checks::results_folder(&needs.results)),
            Box::new(|| checks::cache_folder(&checkout.cache)),
        ];
        let checks = checks.map(|check| scope.spawn(check));
        let python = joined(python);
        let mut rows: Vec<Row> = checks.into_iter().chain(engine).map(joined).collect();
        rows.insert(2, checks::python(&python, needs.model));
        Host { rows, python }
    })
}

/// What a thread gave; its panic is ours.
pub fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Fails if anything that is needed is missing. If it is more than one thing, all are shown first.
pub fn refuse_missing(rows: &[Row], output: Output) -> Result<()> {
    let missing = of_state(rows, State::Missing);
    match missing[..] {
        [] => Ok(()),
        [row] => {
            let cause = format!("{}: {}, needed for {}", row.what, row.found, row.needed_for);
            Err(failure(row.code, cause, &row.get_it))
        }
        [..] => {
            missing.iter().for_each(|row| output.object(row));
            output.line(&table(&missing, output));
            let cause = format!("{} are missing", count(missing.len(), "prerequisite"));
            Err(failure(
                code_of_missing(rows).unwrap_or(ExitCode::PrerequisiteMissing),
                cause,
                "see above, or let `cargo xtask doctor --fix` do it",
            ))
        }
    }
}

/// What a verb ends with because of what is missing: the code of that kind of thing, if all of it is
/// of one kind. Nothing if nothing is missing.
pub fn code_of_missing(rows: &[Row]) -> Option<ExitCode> {
    let missing = of_state(rows, State::Missing);
    let (first, others) = missing.split_first()?;
    let alike = others.iter().all(|row| row.code == first.code);
    Some(if alike {
        first.code
    } else {
        ExitCode::PrerequisiteMissing
    })
}

/// One line about all rows. A warning is quoted, because nobody asks for the table after a success.
pub fn summary(rows: &[Row]) -> String {
    let checks = count(rows.len(), "check");
    match of_state(rows, State::Warning)[..] {
        [] => format!("{checks}, all ok"),
        [row] => format!("{checks}, 1 warning: {} {}", row.what, row.found),
        [..] => format!("{checks}, with warnings (see `cargo xtask doctor`)"),
    }
}

fn of_state(rows: &[Row], state: State) -> Vec<&Row> {
    rows.iter().filter(|row| row.state == state).collect()
}

#[cfg(test)]
mod tests {
    use stigmer_e2e_plan::exit_code_of;

    use super::*;

    fn missing(what: &str) -> Row {
        Row::ok(what, "gone", "tests").but(State::Missing, "get it there")
    }

    #[test]
    fn pre_01_one_missing_thing_is_one_line() {
        let rows = [Row::ok("git", "2", "x"), missing("cc")];
        let error = refuse_missing(&rows, Output::plain(true)).expect_err("cc is missing");
        assert_eq!(
            error.to_string(),
            "cc: gone, needed for tests; get it there"
        );
        assert_eq!(exit_code_of(&error), ExitCode::PrerequisiteMissing);
    }

    #[test]
    fn what_is_missing_decides_the_exit_code_if_it_is_of_one_kind() {
        let results = |what| missing(what).code(ExitCode::ResultsUnwritable);
        let code = |rows: &[Row]| {
            let refused = refuse_missing(rows, Output::plain(true));
            exit_code_of(&refused.expect_err("something is missing"))
        };
        assert_eq!(
            code(&[results("a"), results("b")]),
            ExitCode::ResultsUnwritable
        );
        assert_eq!(
            code(&[results("a"), missing("b")]),
            ExitCode::PrerequisiteMissing
        );
    }

    #[test]
    fn a_warning_stops_nothing_and_is_quoted() {
        let rows = [Row::ok("cores", "1", "x").but(State::Warning, "use --jobs 1")];
        refuse_missing(&rows, Output::plain(true)).expect("a warning is no failure");
        assert_eq!(summary(&rows), "1 check, 1 warning: cores 1");
    }
}
