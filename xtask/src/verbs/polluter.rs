//! `cargo xtask polluter <results folder> [test]`: which earlier test makes this one fail.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use stigmer_e2e_flakes::{PolluterPlan, begun};
use stigmer_e2e_plan::{ExitCode, Output, Verb, failure};

use super::repro::{self, Recorded};
use crate::{
    checkout::Checkout, driver::become_driver_for, flags::StackFlags, plan::Outline,
    prepare::prepare,
};

#[derive(Debug, Args)]
pub struct PolluterFlags {
    /// The results folder of a run, or of a round, in which the test failed
    pub results: Utf8PathBuf,

    /// The test: its name, or a part of it [default: the only one that failed]
    pub test: Option<String>,

    /// How often a selection is run before it is said to pass
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub tries: u64,

    /// Go on although a pin or the commit is another one
    #[arg(long)]
    pub anyway: bool,
}

/// Prepares the search and becomes the driver that makes it.
pub fn run(flags: &PolluterFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let recorded = Recorded::read(&flags.results)?;
    let targets = repro::targets(&flags.results, flags.test.as_deref(), &recorded)?;
    let [victim] = targets.as_slice() else {
        let names: Vec<_> = targets.iter().map(|test| test.function()).collect();
        let cause = format!("more than one test is meant: {}", names.join(", "));
        return Err(failure(ExitCode::Usage, cause, "name one of them"));
    };
    let earlier = begun(&flags.results)?;
    let before = earlier.iter().take_while(|test| **test != victim.name);
    let earlier: Vec<String> = before.cloned().collect();
    repro::check(flags.anyway, &recorded, checkout, output)?;
    let stack = StackFlags::again(recorded.llm);
    let outline = Outline {
        verb: Verb::Run,
        seed: recorded.seed,
        keep: false,
        ..Outline::of_stack(&stack, checkout, output.json)?
    };
    let prepared = prepare(outline, checkout, output)?;
    let plan = PolluterPlan {
        run: prepared.plan,
        victim: victim.name.clone(),
        earlier,
        tries: flags.tries,
    };
    become_driver_for("polluter", &prepared.driver, &plan.run.results, &plan)
}
