//! `cargo xtask repro <results folder> [test]`: makes a failure happen again.

mod cassettes;
mod differences;
mod record;
mod verdict;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde::Serialize;
use stigmer_e2e_plan::{ExitCode, Output, Selection, Tier, Verb, failure};

pub use self::record::{Outcome, Recorded};
use self::{
    cassettes::Cassettes,
    differences::{Difference, differences, surroundings},
    verdict::Again,
};
use crate::{
    checkout::Checkout,
    driver::run_driver,
    explain::explain,
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

    /// Another seed than the recorded one: whether the failure depends on what tests draw
    #[arg(long)]
    pub seed: Option<u64>,

    /// Ask the model again where its recorded answers would do
    #[arg(long)]
    pub live: bool,

    /// Go on although a pin or the commit is another one
    #[arg(long)]
    pub anyway: bool,

    /// Where the results of the new run go: a folder that is new or empty [default: results/<run id>]
    #[arg(long = "results", value_name = "DIR")]
    pub into: Option<Utf8PathBuf>,

    /// Use the binaries of the last build, if no source is newer
    #[arg(long)]
    pub no_build: bool,

    /// Show what would happen, and stop
    #[arg(long)]
    pub explain: bool,
}

#[derive(Serialize)]
struct AgainEvent<'a> {
    event: &'static str,
    test: &'a str,
    again: String,
}

/// Runs the failures of a recorded run again, in its order, with its seed, its model's answers, and as
/// many tests at once, and says of each whether it came back. The exit code is the new run's own.
pub fn run(flags: &ReproFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let recorded = Recorded::read(&flags.results)?;
    let targets = targets(&flags.results, flags.test.as_deref(), &recorded)?;
    check(flags.anyway, &recorded, checkout, output)?;
    let selection = match flags.whole {
        // A run that was cut off before it had an order.
        true if recorded.order.is_empty() => recorded.selection.clone(),
        true => exactly(recorded.order.clone()),
        false => exactly(recorded.in_order(&targets)),
    };
    let llm = match Cassettes::of(&flags.results, &selection.exactly) {
        Some(cassettes) if !flags.live => {
            output.note(&format!(
                "the model's answers are those of that run, {cassettes}; --live asks it again"
            ));
            cassettes.replayed()?
        }
        _ => recorded.llm.clone(),
    };
    let stack = StackFlags {
        results: flags.into.clone(),
        no_build: flags.no_build,
        ..StackFlags::again(llm)
    };
    let outline = Outline {
        verb: Verb::Run,
        seed: flags.seed.unwrap_or(recorded.seed),
        jobs: recorded.jobs,
        keep: false,
        selection,
        runtime: recorded.runtime.clone(),
        server: recorded.server.clone(),
        hermetic: recorded.hermetic(),
        ..Outline::of_stack(&stack, checkout, output.json)?
    };
    if flags.explain {
        return explain(&outline, checkout, output);
    }
    let results = outline.results.clone();
    let prepared = prepare(outline, checkout, output)?;
    let code = run_driver(&prepared.driver, &prepared.plan)?;

    if let Ok(made) = Recorded::read(&results) {
        for difference in surroundings(&recorded, &made) {
            output.note(&difference.to_string());
        }
    }
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

/// These tests, in this order.
fn exactly(tests: Vec<String>) -> Selection {
    Selection {
        tier: Tier::Nightly,
        exactly: tests,
        ..Selection::default()
    }
}

/// The recorded tests whose names contain `test`; without it, those that failed.
pub fn targets(
    results: &Utf8Path,
    test: Option<&str>,
    recorded: &Recorded,
) -> Result<Vec<Outcome>> {
    let tests = Outcome::all(results);
    let targets: Vec<Outcome> = match test {
        Some(part) => tests
            .into_iter()
            .filter(|test| test.name.contains(part))
            .collect(),
        None => tests.into_iter().filter(Outcome::is_red).collect(),
    };
    if targets.is_empty() {
        let run = &recorded.run_id;
        let cause = match test {
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
pub fn check(anyway: bool, recorded: &Recorded, checkout: &Checkout, output: Output) -> Result<()> {
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
    if !anyway && differing.iter().any(Difference::is_fatal) {
        let fix = match then {
            Some(revision) => format!("`git checkout {revision}`, or add --anyway"),
            None => "add --anyway".to_owned(),
        };
        let cause = format!("run {} cannot be made again from here", recorded.run_id);
        return Err(failure(ExitCode::Usage, cause, fix));
    }
    Ok(())
}
