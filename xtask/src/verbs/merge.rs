//! `cargo xtask merge DIR… --into DIR`: results of several machines as one run.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;
use stigmer_e2e_plan::{ExitCode, Output};

use crate::{
    checkout::Checkout,
    driver::become_attached,
    plan::{absolute, new_folder},
};

#[derive(Debug, Args)]
pub struct MergeFlags {
    /// The results folders, such as those of `e2e --shard 1/2` and `e2e --shard 2/2`
    #[arg(required = true)]
    pub results: Vec<Utf8PathBuf>,

    /// Where the whole goes: a folder that is new or empty
    #[arg(long, value_name = "DIR")]
    pub into: Utf8PathBuf,
}

/// Becomes the driver, which writes the whole and ends with its verdict.
pub fn run(flags: &MergeFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let into = new_folder("--into", &flags.into)?;
    let folders = flags.results.iter().map(|folder| absolute(folder));
    let folders = folders.collect::<Result<Vec<_>>>()?;
    let mut arguments = vec!["merge", "--into", into.as_str()];
    arguments.extend(folders.iter().map(|folder| folder.as_str()));
    become_attached(checkout, &arguments, output.json)
}
