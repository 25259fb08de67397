//! `cargo xtask e2e`: the whole pipeline.

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, Output};

use crate::{
    checkout::Checkout, driver::become_driver, explain::explain, flags::RunFlags, plan::Outline,
    prepare::prepare, retention::make_room,
};

/// Prepares a run and becomes the driver that carries it out.
pub fn run(flags: &RunFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let outline = Outline::of_run(flags, checkout, output.json)?;
    if flags.stack.explain {
        return explain(&outline, checkout, output);
    }
    make_room(&outline.results, checkout, output)?;
    let prepared = prepare(outline, checkout, output)?;
    become_driver(&prepared.driver, &prepared.plan)
}
