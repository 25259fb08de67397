//! `cargo xtask bench`: the benchmarks of scenario EXT-03, one at a time, and whether they became slower.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use stigmer_e2e_plan::{ExitCode, Output};

use crate::{
    checkout::Checkout,
    judging::{JudgingFlags, run_and_judge},
    plan::Outline,
};

/// The scenario.
const SCENARIO: &str = "EXT-03";

#[derive(Debug, Args)]
pub struct BenchFlags {
    /// Which benchmarks: parts of their tests' names [default: all]
    pub filters: Vec<String>,

    /// How much slower is a regression, in per cent
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub tolerance: u16,

    /// A run of the whole suite, for its wall time [default: the last one beside the results]
    #[arg(long, value_name = "DIR")]
    pub suite: Option<Utf8PathBuf>,

    #[command(flatten)]
    pub judging: JudgingFlags,
}

/// Runs the benchmarks as tests, and becomes the driver that judges what they measured.
pub fn run(flags: &BenchFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let (filters, results) = (&flags.filters, flags.judging.results.as_deref());
    let outline = Outline::of_scenario(SCENARIO, filters, results, checkout, output.json)?;
    let suite = flags.suite.iter();
    let suite: Vec<_> = suite.flat_map(|file| ["--suite", file.as_str()]).collect();
    let how = ("bench", flags.tolerance);
    run_and_judge(outline, how, &flags.judging, &suite, checkout, output)
}
