//! `stigmer completion`.

use std::{io::Write as _, process::ExitCode};

use anyhow::{Result, bail};
use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::{cli::Cli, render::Output};

/// Prints the completion script for `shell`.
pub fn execute(shell: Shell, out: &Output) -> Result<ExitCode> {
    if out.is_json() {
        bail!("a completion script has no JSON form; leave out --output");
    }
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "stigmer", &mut script);
    // A reader that has gone away, such as `head`, wanted no more of it.
    let _ = std::io::stdout().write_all(&script);
    Ok(ExitCode::SUCCESS)
}
