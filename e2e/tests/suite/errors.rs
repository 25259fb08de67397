//! Section 8 of the acceptance list: what goes wrong is said, and leaves nothing behind.

mod creation;
mod debugging;
mod invalid_input;
mod invalid_workflows;
mod programs;
mod projects;
mod runner;
mod unreachable;

use stigmer_e2e::{
    ensure,
    harness::{Broken, CliOutput},
};

/// Standard error holds `text`. Not the whole output: there the command repeats what it was given.
fn complains(output: &CliOutput, text: &str) -> Result<(), Broken> {
    ensure!(
        output.stderr.contains(text),
        "the standard error of `{}` does not hold {text:?}: {:?}",
        output.command_line,
        output.stderr
    );
    Ok(())
}
