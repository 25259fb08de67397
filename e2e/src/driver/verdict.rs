//! From what happened to the verdict and the exit code. Pure, so that every combination is tested.

use std::time::Duration;

use stigmer_e2e::{
    services::says_port_taken,
    supervise::{Failure, ServiceError},
};
use stigmer_e2e_hermetic::Attempt;
use stigmer_e2e_plan::{ExitCode, exit_code_of};

use crate::results::{RunVerdict, Tally};

/// How the phases before `down` ended.
#[derive(Debug)]
pub enum Ending {
    /// All selected tests were run.
    Completed,
    /// A signal asked to stop.
    Interrupted,
    /// The tests took longer than the whole suite may take.
    Overdue {
        /// What they may take.
        limit: Duration,
        /// The own names of the tests that were still going on.
        running: Vec<String>,
    },
    /// A shared service did not come up, or died.
    Service(ServiceError),
    /// Something else stopped the run.
    Error(anyhow::Error),
}

/// Everything the verdict depends on.
#[derive(Debug)]
pub struct Facts<'a> {
    /// How the phases before `down` ended.
    pub ending: &'a Ending,
    /// How many tests stand how.
    pub tally: Tally,
    /// What the tests should have and do not.
    pub gaps: Gaps,
    /// Shared services that had to be killed.
    pub forced_kills: usize,
    /// Processes left behind; nothing when nobody could look.
    pub leftovers: Option<usize>,
    /// Who tried to reach another machine, in a run that was cut off from all of them.
    pub attempts: &'a [Attempt],
}

/// What the tests should have and do not.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    /// How many of their names claim a scenario that the acceptance list does not have.
    pub unknown_ids: usize,
    /// Fixtures that no test took through everything, such as `06 (run)`; none when only some tests
    /// were selected.
    pub unproven_fixtures: Vec<String>,
}

/// What a run ends with because of a shared service.
pub fn code_of_service(error: &ServiceError) -> ExitCode {
    match error.failure {
        Failure::DiedStarting { .. } if says_port_taken(&error.tail) => ExitCode::PortTaken,
        _ => ExitCode::ServiceFailed,
    }
}

/// The verdict, the exit code, and the cause in one line unless everything passed.
pub fn conclude(facts: &Facts<'_>) -> (RunVerdict, ExitCode, Option<String>) {
    let first_line = |text: String| text.lines().next().unwrap_or_default().to_owned();
    match facts.ending {
        Ending::Interrupted => (
            RunVerdict::Interrupted,
            ExitCode::Interrupted,
            Some("stopped by a signal".to_owned()),
        ),
        Ending::Overdue { limit, running } => {
            let running = match running.as_slice() {
                [] => "none was going on".to_owned(),
                running => format!("still going on: {}", running.join(", ")),
            };
            (
                RunVerdict::Failed,
                ExitCode::TestsFailed,
                Some(format!("the tests did not end within {limit:?}; {running}")),
            )
        }
        Ending::Service(error) => (
            RunVerdict::ServiceFailed,
            code_of_service(error),
            Some(first_line(error.headline())),
        ),
        Ending::Error(error) => {
            let code = exit_code_of(error);
            let verdict = match code {
                ExitCode::NothingRan => RunVerdict::NothingRan,
                ExitCode::ResultsUnwritable | ExitCode::DiskFull => RunVerdict::ResultsUnwritable,
                ExitCode::PrerequisiteMissing | ExitCode::PythonMissing => {
                    RunVerdict::PrerequisiteMissing
                }
                _ => RunVerdict::Broken,
            };
            (verdict, code, Some(first_line(format!("{error:#}"))))
        }
        Ending::Completed => {
            completed(facts).unwrap_or((RunVerdict::Passed, ExitCode::Success, None))
        }
    }
}

/// What is wrong with a run whose tests were all given their chance, the gravest thing first.
fn completed(facts: &Facts<'_>) -> Option<(RunVerdict, ExitCode, Option<String>)> {
    let tally = &facts.tally;
    let unfinished = tally.not_run + tally.aborted;
    let leftovers = facts.leftovers.unwrap_or_default();
    let (verdict, code, cause) = if tally.failed > 0 {
        (
            RunVerdict::Failed,
            ExitCode::TestsFailed,
            format!("tests failed: {}", tally.failed),
        )
    } else if unfinished > 0 {
        (
            RunVerdict::Failed,
            ExitCode::TestsFailed,
            format!("tests that never ended: {unfinished}"),
        )
    } else if facts.gaps.unknown_ids > 0 {
        let cause = format!(
            "test names with an id that the acceptance list does not have: {} (see coverage.md)",
            facts.gaps.unknown_ids
        );
        (RunVerdict::Failed, ExitCode::TestsFailed, cause)
    } else if !facts.gaps.unproven_fixtures.is_empty() {
        let cause = format!(
            "fixtures that no test took through everything: {} (see coverage.md)",
            facts.gaps.unproven_fixtures.join(", ")
        );
        (RunVerdict::Failed, ExitCode::TestsFailed, cause)
    } else if leftovers > 0 {
        (
            RunVerdict::Leftovers,
            ExitCode::Leftovers,
            format!("processes left behind, now killed: {leftovers}"),
        )
    } else if let Some(first) = facts.attempts.first() {
        let more = match facts.attempts.len() - 1 {
            0 => String::new(),
            more => format!("; and {more} more (see run.json)"),
        };
        let cause = format!("tried to reach another machine: {first}{more}");
        (RunVerdict::TriedToLeave, ExitCode::TriedToLeave, cause)
    } else if facts.forced_kills > 0 {
        (
            RunVerdict::ServiceFailed,
            ExitCode::ServiceFailed,
            format!(
                "shared services that had to be killed: {}",
                facts.forced_kills
            ),
        )
    } else if tally.executed() == 0 {
        (
            RunVerdict::NothingRan,
            ExitCode::NothingRan,
            format!("no test was executed, {} skipped", tally.skipped),
        )
    } else {
        return None;
    };
    Some((verdict, code, Some(cause)))
}

#[cfg(test)]
mod tests;
