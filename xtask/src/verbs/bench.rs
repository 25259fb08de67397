//! `cargo xtask bench`: the benchmarks of scenario EXT-03, one at a time, and whether they became slower.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use stigmer_e2e_plan::{ExitCode, LlmChoice, Output, Selection, Tier, Verb};

use crate::{
    checkout::Checkout,
    driver::{become_command, run_driver},
    flags::StackFlags,
    plan::Outline,
    prepare::prepare,
};

/// The scenario.
const SCENARIO: &str = "EXT-03";

/// Where the baseline is in the checkout.
const BASELINE: &str = "e2e/baseline.json";

#[derive(Debug, Args)]
pub struct BenchFlags {
    /// Which benchmarks: parts of their tests' names [default: all]
    pub filters: Vec<String>,

    /// What to compare with [default: e2e/baseline.json]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<Utf8PathBuf>,

    /// Make this run the baseline
    #[arg(long)]
    pub save_baseline: bool,

    /// How much slower is a regression, in per cent
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub tolerance: u16,

    /// A run of the whole suite, for its wall time [default: the last one beside the results]
    #[arg(long, value_name = "DIR")]
    pub suite: Option<Utf8PathBuf>,

    /// Also write the table as a page, such as docs/benchmarks.md
    #[arg(long, value_name = "FILE")]
    pub page: Option<Utf8PathBuf>,

    /// Where results go: a folder that is new or empty [default: results/<run id>]
    #[arg(long, value_name = "DIR")]
    pub results: Option<Utf8PathBuf>,
}

/// Runs the benchmarks as tests, and becomes the driver that judges what they measured.
pub fn run(flags: &BenchFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let stack = StackFlags {
        llm: LlmChoice::None,
        results: flags.results.clone(),
        allow_skip: false,
        no_build: false,
        explain: false,
    };
    let outline = Outline {
        verb: Verb::Run,
        keep: false,
        selection: Selection {
            tier: Tier::Nightly,
            filters: match flags.filters.as_slice() {
                [] => vec![SCENARIO.to_owned()],
                filters => filters.to_vec(),
            },
            ..Selection::default()
        },
        ..Outline::of_stack(&stack, checkout, output.json)?
    };
    let prepared = prepare(outline, checkout, output)?;
    let code = run_driver(&prepared.driver, &prepared.plan)?;
    if code != ExitCode::Success {
        return Ok(code);
    }
    let baseline = flags.baseline.clone();
    let baseline = baseline.unwrap_or_else(|| checkout.root.join(BASELINE));
    let tolerance = flags.tolerance.to_string();
    let results = &prepared.plan.results;
    let mut arguments = vec!["bench", "--results", results.as_str()];
    arguments.extend(["--baseline", baseline.as_str(), "--tolerance", &tolerance]);
    arguments.extend(flags.save_baseline.then_some("--save-baseline"));
    for (flag, file) in [("--suite", &flags.suite), ("--page", &flags.page)] {
        arguments.extend(file.iter().flat_map(|file| [flag, file.as_str()]));
    }
    arguments.extend(output.json.then_some("--json"));
    become_command(&prepared.driver, &arguments)
}
