//! A run that measures, and what the driver then says of its numbers.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use stigmer_e2e_plan::{BASELINE, ExitCode, Output};

use crate::{
    checkout::Checkout,
    driver::{become_command, run_driver},
    plan::Outline,
    prepare::prepare,
};

/// What every verb that measures is asked.
#[derive(Debug, Args)]
pub struct JudgingFlags {
    /// What to compare with [default: e2e/baseline.json]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<Utf8PathBuf>,

    /// Make the numbers of this run the baseline's
    #[arg(long)]
    pub save_baseline: bool,

    /// Also write the tables as a page, such as one of docs/
    #[arg(long, value_name = "FILE")]
    pub page: Option<Utf8PathBuf>,

    /// Where results go: a folder that is new or empty [default: results/<run id>]
    #[arg(long, value_name = "DIR")]
    pub results: Option<Utf8PathBuf>,
}

/// Runs the tests of `outline`, and if they pass becomes the driver that judges what they measured, for
/// which `verb` and `tolerance` (in per cent) are; `more` are arguments of this verb alone.
pub fn run_and_judge(
    outline: Outline,
    (verb, tolerance): (&str, u16),
    flags: &JudgingFlags,
    more: &[&str],
    checkout: &Checkout,
    output: Output,
) -> Result<ExitCode> {
    let prepared = prepare(outline, checkout, output)?;
    let code = run_driver(&prepared.driver, &prepared.plan)?;
    if code != ExitCode::Success {
        return Ok(code);
    }
    let baseline = flags.baseline.clone();
    let baseline = baseline.unwrap_or_else(|| checkout.root.join(BASELINE));
    let (results, tolerance) = (&prepared.plan.results, tolerance.to_string());
    let mut arguments = vec![verb, "--results", results.as_str()];
    arguments.extend(["--baseline", baseline.as_str(), "--tolerance", &tolerance]);
    arguments.extend(flags.save_baseline.then_some("--save-baseline"));
    let page = flags.page.iter();
    arguments.extend(page.flat_map(|file| ["--page", file.as_str()]));
    arguments.extend(more);
    arguments.extend(output.json.then_some("--json"));
    become_command(&prepared.driver, &arguments)
}
