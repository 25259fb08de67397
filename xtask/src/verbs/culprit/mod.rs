//! `cargo xtask culprit <test> --good <revision>`: which revision made a test fail. What earlier rounds
//! found about a revision is not found out again; the others are built and run in a folder of their own.

mod worktree;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use stigmer_e2e_flakes::{Bisection, Evidence, Rate, Step, Store};
use stigmer_e2e_plan::{ExitCode, Output, failure};

use self::worktree::{Probed, Worktree, revisions};
use crate::checkout::Checkout;

/// How many clean runs are enough when nothing is known of how often the test fails.
const RUNS: u64 = 30;
/// How much of a revision is shown.
const SHORT: usize = 10;

#[derive(Debug, Args)]
pub struct CulpritFlags {
    /// The test: its name
    pub test: String,

    /// A revision at which it passes
    #[arg(long, value_name = "REVISION")]
    pub good: String,

    /// A revision at which it fails
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub bad: String,

    /// How many clean runs clear a revision [default: as many as half the known rate needs, or 30]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: Option<u64>,

    /// Only narrow the range by what is known; build and run nothing
    #[arg(long)]
    pub known: bool,
}

#[derive(Serialize)]
struct CulpritEvent<'a> {
    event: &'static str,
    test: &'a str,
    /// One of these; one, unless some cannot be tested or were not run.
    suspects: Vec<&'a str>,
    /// Revisions that were built and run.
    probes: u64,
}

/// Narrows the range down. 0 when one revision is left; [`ExitCode::TestsFailed`] when more are, or the
/// range has no change; whatever stopped a probe otherwise.
pub fn run(flags: &CulpritFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let revisions = revisions(&checkout.root, &flags.good, &flags.bad)?;
    let mut store = Store::read(&checkout.root.join("results"));
    let path = store.path_of(&flags.test);
    let known = |store: &Store, revision: &str| {
        let known = path.as_ref().map(|path| store.at(path, revision));
        known.unwrap_or_else(|| Rate::new(0, 0))
    };
    let last = &revisions[revisions.len() - 1];
    let at_the_end = known(&store, last);
    let enough = flags.runs.unwrap_or(match at_the_end.failures {
        0 => RUNS,
        _ => Evidence::enough_against(&at_the_end),
    });
    let evidence = revisions
        .iter()
        .map(|revision| Evidence::of(&known(&store, revision), enough));
    let mut bisection = Bisection::new(evidence.collect());
    output.note(&format!(
        "{} revisions, {enough} clean runs clear one",
        revisions.len()
    ));
    let mut probes = 0;
    let suspects = loop {
        let place = match bisection.step() {
            Step::Found(suspects) => break suspects,
            Step::Probe(_) if flags.known => break bisection.suspects(),
            Step::Probe(place) => place,
            end => return Err(no_change(&end, flags)),
        };
        probes += 1;
        let revision = &revisions[place];
        let worktree = Worktree::add(checkout, revision)?;
        let (probed, results) = worktree.probe(&flags.test, enough)?;
        let told = match &probed {
            Probed::Ran(rate) => {
                if let Some(entry) = worktree.entry(&results, rate) {
                    store.append(entry)?;
                }
                format!("{} of {} failed", rate.failures, rate.runs)
            }
            Probed::Untestable(why) => format!("cannot be tested: {why}"),
        };
        output.line(&format!("  {revision:.SHORT$} {told}"));
        let evidence = match probed {
            Probed::Ran(rate) => Evidence::of(&rate, enough),
            Probed::Untestable(_) => Evidence::Untestable,
        };
        bisection.learn(place, evidence);
    };
    let suspects: Vec<&str> = suspects.iter().map(|at| revisions[*at].as_str()).collect();
    output.object(&CulpritEvent {
        event: "culprit",
        test: &flags.test,
        suspects: suspects.clone(),
        probes,
    });
    for suspect in &suspects {
        output.line(&format!(
            "  suspect    {}",
            worktree::headline(checkout, suspect)
        ));
    }
    if flags.known && suspects.len() > 1 {
        let CulpritFlags {
            test, good, bad, ..
        } = flags;
        output.line(&format!(
            "  next       cargo xtask culprit {test} --good {good} --bad {bad}"
        ));
    }
    Ok(match suspects.len() {
        1 => ExitCode::Success,
        _ => ExitCode::TestsFailed,
    })
}

fn no_change(end: &Step, flags: &CulpritFlags) -> anyhow::Error {
    let CulpritFlags {
        good, bad, test, ..
    } = flags;
    let (cause, fix) = match end {
        Step::BadFromTheStart => (
            format!("{test} is not known to pass at {good}"),
            "name an older revision as good",
        ),
        _ => (
            format!("{test} does not fail at {bad}"),
            "name a revision at which it fails, or more --runs",
        ),
    };
    failure(ExitCode::TestsFailed, cause, fix)
}
