//! `cargo xtask down`, `status`, and `logs`: about a stack that `up` started, which is the
//! driver's business.

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, Output};

use crate::{checkout::Checkout, driver::become_attached, flags::LogsFlags};

/// Stops what `up` started.
pub fn down(checkout: &Checkout, output: Output) -> Result<ExitCode> {
    become_attached(checkout, &["down"], output.json)
}

/// Shows what `up` started.
pub fn status(checkout: &Checkout, output: Output) -> Result<ExitCode> {
    become_attached(checkout, &["status"], output.json)
}

/// Shows the logs of what `up` started.
pub fn logs(flags: &LogsFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let lines = flags.lines.to_string();
    let mut arguments = vec!["logs", "--lines", &lines];
    arguments.extend(flags.follow.then_some("--follow"));
    arguments.extend(flags.service.as_deref());
    become_attached(checkout, &arguments, output.json)
}
