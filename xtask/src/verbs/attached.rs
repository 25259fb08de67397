//! `cargo xtask down`, `status`, and `logs`: about a stack that `up` started, which is the
//! driver's business.

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, Output};

use crate::{checkout::Checkout, driver::become_attached};

/// Becomes the driver with the verb and its `arguments`.
pub fn run(arguments: &[&str], checkout: &Checkout, output: Output) -> Result<ExitCode> {
    become_attached(checkout, arguments, output.json)
}
