//! `cargo xtask up`: the services, kept.

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, LlmChoice, Output, failure};

use crate::{
    checkout::Checkout, driver::become_driver, explain::explain, flags::StackFlags, plan::Outline,
    prepare::prepare,
};

/// Prepares a stack and becomes the driver that starts it.
pub fn run(flags: &StackFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    if let LlmChoice::Replay { .. } = flags.llm {
        return Err(failure(
            ExitCode::Usage,
            "recorded answers are those of tests, and `up` runs none",
            "choose a model, or --llm none",
        ));
    }
    let outline = Outline::of_stack(flags, checkout, output.json)?;
    if flags.explain {
        return explain(&outline, checkout, output);
    }
    let prepared = prepare(outline, checkout, output)?;
    become_driver(&prepared.driver, &prepared.plan)
}
