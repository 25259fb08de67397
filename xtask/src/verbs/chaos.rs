//! `cargo xtask chaos`: scenario EXT-04 for as long as one likes, with a seed that makes it happen
//! again.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use stigmer_e2e_plan::{ExitCode, Output, Plan};

use crate::{checkout::Checkout, driver::become_driver, plan::Outline, prepare::prepare};

/// The scenario.
const SCENARIO: &str = "EXT-04";

/// The longest chaos, in minutes: what a nightly test may take, less the time until all has settled.
const LONGEST: u64 = 10;

#[derive(Debug, Args)]
pub struct ChaosFlags {
    /// Says what happens when [default: random, printed]
    #[arg(long)]
    pub seed: Option<u64>,

    /// For how many minutes, up to 10
    #[arg(long, default_value_t = LONGEST, value_parser = clap::value_parser!(u64).range(1..=LONGEST))]
    pub minutes: u64,

    /// Where results go: a folder that is new or empty [default: results/<run id>]
    #[arg(long, value_name = "DIR")]
    pub results: Option<Utf8PathBuf>,
}

/// Prepares a run of the scenario and becomes the driver that carries it out.
pub fn run(flags: &ChaosFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let results = flags.results.as_deref();
    let mut outline = Outline::of_scenario(SCENARIO, &[], results, checkout, output.json)?;
    outline.seed = flags.seed.unwrap_or(outline.seed);
    let prepared = prepare(outline, checkout, output)?;
    let plan = Plan {
        chaos_minutes: Some(flags.minutes),
        ..prepared.plan
    };
    become_driver(&prepared.driver, &plan)
}
