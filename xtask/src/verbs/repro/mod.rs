//! `cargo xtask repro <results folder> [test]`: makes a failure happen again.

mod differences;
mod record;
mod verdict;

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use serde::Serialize;
use stigmer_e2e_plan::{ExitCode, Output, Selection, Tier, Verb, failure};

use self::{
    differences::{Difference, differences},
    record::{Outcome, Recorded},
    verdict::Again,
};
use crate::{
    checkout::Checkout,
    driver::run_driver,
    flags::StackFlags,
    pins::{Pins, platform},
    plan::Outline,
    prepare::prepare,
    revision::Revision,
};

#[derive(Debug, Args)]
pub struct ReproFlags {
    /// The results folder of the run; it may be a copy from another machine
    pub results: Utf8PathBuf,

    /// The test: its name, or a part of it [default: every test that failed]
    pub test: Option<String>,

    /// Run everything that the run had selected, in its order, not just what failed
    #[arg(long)]
    pub whole: bool,

    /// Go on although a pin or the commit is another one
    #[arg(long)]
    pub anyway: bool,
}

#[derive(Serialize)]
struct AgainEvent<'a> {
    event: &'static str,
    test: &'a str,
    again: String,
}

/// Runs the failures of a recorded run again, with its seed, its model, and as many tests at once, and
/// says of each whether it came back. The exit code is the new run's own.
pub fn run(flags: &ReproFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let recorded = Recorded::read(&flags.results)?;
    let targets = targets(flags, &recorded)?;
    check(flags, &recorded, checkout, output)?;

    let stack = StackFlags {
        llm: recorded.llm,
        results: None,
        allow_skip: false,
        no_build: false,
        explain: false,
    };
    let outline = Outline {
        verb: Verb::Run,
        seed: recorded.seed,
        jobs: recorded.jobs,
        keep: false,
        selection: match flags.whole {
            true => recorded.selection,
            false => Selection {
                tier: Tier::Nightly,
                filters: targets
                    .iter()
                    .map(|test| test.function().to_owned())
                    .collect(),
            },
        },
        ..Outline::of_stack(&stack, checkout, output.json)?
    };
    let results = outline.results.clone();
    let prepared = prepare(outline, checkout, output)?;
    let code = run_driver(&prepared.driver, &prepared.plan)?;

    let after = Outcome::all(&results);
    for before in &targets {
        let again = Again::of(before, after.iter().find(|test| test.name == before.name));
        output.line(&format!("  {}: {again}", before.function()));
        output.object(&AgainEvent {
            event: "again",
            test: &before.name,
            again: again.to_string(),
        });
    }
    Ok(code)
}

/// The recorded tests to run again.
fn targets(flags: &ReproFlags, recorded: &Recorded) -> Result<Vec<Outcome>> {
    let tests = Outcome::all(&flags.results);
    let targets: Vec<Outcome> = match &flags.test {
        Some(part) => tests
            .into_iter()
            .filter(|test| test.name.contains(part.as_str()))
            .collect(),
        None => tests.into_iter().filter(Outcome::is_red).collect(),
    };
    if targets.is_empty() {
        let run = &recorded.run_id;
        let cause = match &flags.test {
            Some(part) => format!("run {run} has no test whose name contains {part}"),
            None => format!("no test of run {run} failed"),
        };
        return Err(failure(
            ExitCode::NothingRan,
            cause,
            "name a test of that run",
        ));
    }
    Ok(targets)
}

/// Refuses, or tells of, what differs from the recorded run.
fn check(
    flags: &ReproFlags,
    recorded: &Recorded,
    checkout: &Checkout,
    output: Output,
) -> Result<()> {
    let revision = Revision::ask(&checkout.root).answer();
    let pins = Pins::read(&checkout.root)?;
    let differing = differences(recorded, &pins, &platform(), revision.as_deref());
    for difference in &differing {
        output.note(&difference.to_string());
    }
    let then = recorded
        .git
        .as_ref()
        .and_then(|git| git.revision.as_deref());
    if !flags.anyway && differing.iter().any(Difference::is_fatal) {
        let fix = match then {
            Some(revision) => format!("`git checkout {revision}`, or add --anyway"),
            None => "add --anyway".to_owned(),
        };
        let cause = format!("run {} cannot be made again from here", recorded.run_id);
        return Err(failure(ExitCode::Usage, cause, fix));
    }
    Ok(())
}
