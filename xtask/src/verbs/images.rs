//! `cargo xtask images`: container images of all parts, for whoever wants to run them by hand.

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, Output};

use crate::{
    checkout::Checkout, driver::become_driver, explain::explain, flags::StackFlags, plan::Outline,
    prepare::prepare,
};

/// Builds what belongs into images and becomes the driver that makes them.
pub fn run(flags: &StackFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let outline = Outline::of_images(flags, checkout, output.json)?;
    if flags.explain {
        return explain(&outline, checkout, output);
    }
    let prepared = prepare(outline, checkout, output)?;
    become_driver(&prepared.driver, &prepared.plan)
}
