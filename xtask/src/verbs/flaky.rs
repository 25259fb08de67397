//! `cargo xtask flaky`: how often the chosen tests fail, by enough real runs of them.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use stigmer_e2e_flakes::{Entry, FlakyPlan, Share, StopRule, Store, Stress};
use stigmer_e2e_plan::{ExitCode, Output, failure};

use crate::{
    checkout::Checkout, driver::become_driver_for, explain::explain, flags::RunFlags,
    plan::Outline, prepare::prepare,
};

/// Rounds without any other word: enough for a bound of 10 %.
const ROUNDS: u64 = 30;
/// Where evidence that does not come is no longer waited for.
const MOST_ROUNDS: u64 = 1000;

#[derive(Debug, Args)]
pub struct FlakyFlags {
    #[command(flatten)]
    pub run: RunFlags,

    /// How many rounds; with --until, the most [default: 30, with --until 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: Option<u64>,

    /// Stop as soon as the share of red rounds is known to be below this, or above a tenth of it
    #[arg(long, value_name = "SHARE")]
    pub until: Option<Share>,

    /// Fail unless so few red rounds are certain: 2% needs 149 rounds, all clean
    #[arg(long, value_name = "SHARE")]
    pub gate: Option<Share>,

    /// What keeps the machine busy meanwhile: cpu (four threads per core), memory, disk
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub stress: Vec<Stress>,

    /// Show what earlier rounds found about these tests, by revision, and stop
    #[arg(long)]
    pub history: bool,
}

/// Prepares the rounds and becomes the driver that makes them.
pub fn run(flags: &FlakyFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    if flags.history {
        return history(&flags.run.filters, checkout, output);
    }
    let outline = Outline::of_run(&flags.run, checkout, output.json)?;
    if flags.run.stack.explain {
        return explain(&outline, checkout, output);
    }
    let prepared = prepare(outline, checkout, output)?;
    let mut stress = flags.stress.clone();
    stress.sort();
    stress.dedup();
    let plan = FlakyPlan {
        stop: match flags.until {
            None => StopRule::After {
                rounds: flags.runs.unwrap_or(ROUNDS),
            },
            Some(Share(bound)) => StopRule::Until {
                bound,
                at_most: flags.runs.unwrap_or(MOST_ROUNDS),
            },
        },
        gate: flags.gate.map(|Share(gate)| gate),
        run: prepared.plan,
        stress,
    };
    become_driver_for("flaky", &prepared.driver, &plan.run.results, &plan)
}

#[derive(Serialize)]
struct HistoryEvent<'a> {
    event: &'static str,
    entries: &'a [Entry],
}

fn history(filters: &[String], checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let store = Store::read(&checkout.root.join("results"));
    let (table, rows) = store.table(filters);
    if rows == 0 {
        let cause = "no earlier `flaky` ran such a test";
        let fix = "make rounds first: `cargo xtask flaky <filters>`";
        return Err(failure(ExitCode::NothingRan, cause, fix));
    }
    output.object(&HistoryEvent {
        event: "flaky-history",
        entries: store.entries(),
    });
    output.line(table.trim_end());
    Ok(ExitCode::Success)
}
