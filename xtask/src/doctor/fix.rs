//! `doctor --fix`: does what can be done about shortcomings, and says what it did.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;
use xshell::{Shell, cmd};

use super::{Row, State};
use stigmer_e2e_plan::Output;

/// What can be done about a shortcoming without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Install Debian packages; needs root.
    Apt(&'static [&'static str]),
    /// Add a component to the Rust toolchain.
    Rustup(&'static str),
    /// Fetch the pinned tools.
    Fetch,
    /// Build the workspace.
    Build,
}

impl Remedy {
    /// How people do it themselves.
    pub fn as_text(&self) -> String {
        match self {
            Self::Apt(packages) => format!("Debian: apt-get install {}", packages.join(" ")),
            Self::Rustup(component) => format!("rustup component add {component}"),
            Self::Fetch | Self::Build => "cargo xtask doctor --fix".to_owned(),
        }
    }
}

/// Applies the remedies that only need a command, and returns whether pinned tools and binaries
/// should be had as well.
pub fn apply(rows: &[Row], output: Output) -> Result<()> {
    let wanted = || {
        rows.iter()
            .filter(|row| row.state != State::Ok)
            .filter_map(|row| row.remedy)
    };
    let packages: BTreeSet<&str> = wanted()
        .filter_map(|r| {
            if let Remedy::Apt(p) = r {
                Some(p)
            } else {
                None
            }
        })
        .flatten()
        .copied()
        .collect();
    let sh = Shell::new()?;
    if !packages.is_empty() {
        install(&sh, &packages, output)?;
    }
    for remedy in wanted() {
        let Remedy::Rustup(component) = remedy else {
            continue;
        };
        if which::which("rustup").is_err() {
            output.note(&format!("not done: rustup is not on PATH, so {component} has to come from where this Rust came from"));
            continue;
        }
        output.note(&format!("running: rustup component add {component}"));
        cmd!(sh, "rustup component add {component}").quiet().run()?;
    }
    Ok(())
}

fn install(sh: &Shell, packages: &BTreeSet<&str>, output: Output) -> Result<()> {
    let list = packages.iter().copied().collect::<Vec<_>>().join(" ");
    let debian = Path::new("/etc/debian_version").exists() && which::which("apt-get").is_ok();
    let root = debian && cmd!(sh, "id -u").quiet().read()? == "0";
    if !root {
        let how = if debian {
            "needs root"
        } else {
            "this is no Debian"
        };
        output.note(&format!("not done, {how}: apt-get install {list}"));
        return Ok(());
    }
    output.note(&format!(
        "running: apt-get update && apt-get install --yes --no-install-recommends {list}"
    ));
    let noninteractive = sh.push_env("DEBIAN_FRONTEND", "noninteractive");
    cmd!(sh, "apt-get update --quiet --quiet")
        .quiet()
        .ignore_stdout()
        .run()?;
    cmd!(
        sh,
        "apt-get install --yes --quiet --quiet --no-install-recommends {packages...}"
    )
    .quiet()
    .ignore_stdout()
    .run()?;
    drop(noninteractive);
    Ok(())
}
