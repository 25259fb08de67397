//! `cargo xtask load`: scenario EXT-02 with as many at once, as many runners, and on the Temporal that one
//! likes, and whether the stack stays within its limits.

use anyhow::Result;
use clap::Args;
use stigmer_e2e_plan::{ExitCode, Levels, LoadPlan, Mix, Output, RemoteTemporal};

use crate::{
    checkout::Checkout,
    explain::explain,
    judging::{JudgingFlags, run_and_judge},
    plan::Outline,
};

/// The scenario.
const SCENARIO: &str = "EXT-02";

#[derive(Debug, Args)]
pub struct LoadFlags {
    /// What is executed: agents, workflows, or mixed [default: one after the other]
    #[arg(long)]
    pub mix: Option<Mix>,

    /// How many executions at once, level by level, up to 1000
    #[arg(long, default_value_t = LoadPlan::default().levels, value_name = "N,…")]
    pub levels: Levels,

    /// How many processes of each runner
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub runners: u16,

    /// The Temporal that carries the work, without TLS: HOST:PORT[,namespace=NAME] [default: the pinned
    /// dev server]
    #[arg(long, value_name = "ADDRESS")]
    pub temporal: Option<RemoteTemporal>,

    /// How much more than the baseline breaks a limit, in per cent
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub tolerance: u16,

    /// Show what would happen, and stop
    #[arg(long)]
    pub explain: bool,

    #[command(flatten)]
    pub judging: JudgingFlags,
}

/// Runs the load as tests, and becomes the driver that judges what they measured.
pub fn run(flags: &LoadFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    // The tests of the scenario have the name of their mix.
    let mix = flags.mix.map(|mix| format!("ext_02_{mix}"));
    let mix: Vec<String> = mix.into_iter().collect();
    let results = flags.judging.results.as_deref();
    let outline = Outline {
        load: Some(LoadPlan {
            levels: flags.levels.clone(),
            runners: flags.runners,
            temporal: flags.temporal.clone(),
        }),
        ..Outline::of_scenario(SCENARIO, &mix, results, checkout, output.json)?
    };
    if flags.explain {
        return explain(&outline, checkout, output);
    }
    let how = ("load", flags.tolerance);
    run_and_judge(outline, how, &flags.judging, &[], checkout, output)
}
