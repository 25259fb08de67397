//! `doctor --fix`: does what can be done about shortcomings, and says what it did.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;
use stigmer_e2e_plan::Output;
use xshell::{Shell, cmd};

use super::{Row, State};

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
            Self::Fetch => "the next run fetches it, or `cargo xtask doctor --fix`".to_owned(),
            Self::Build => "the next run builds it, or `cargo xtask doctor --fix`".to_owned(),
        }
    }
}

/// Applies the remedies that are a command. Pinned tools and binaries have no command of their
/// own: whoever asks for a repair fetches and builds in any case.
pub fn apply(rows: &[Row], output: Output) -> Result<()> {
    let wanted = rows
        .iter()
        .filter(|row| row.state != State::Ok)
        .filter_map(|row| row.remedy);
    let (mut packages, mut components) = (BTreeSet::new(), BTreeSet::new());
    for remedy in wanted {
        match remedy {
            Remedy::Apt(names) => packages.extend(names.iter().copied()),
            Remedy::Rustup(component) => _ = components.insert(component),
            Remedy::Fetch | Remedy::Build => {}
        }
    }
    let sh = Shell::new()?;
    if !packages.is_empty() {
        install(&sh, &packages, output)?;
    }
    components
        .into_iter()
        .try_for_each(|component| add_component(&sh, component, output))
}

fn add_component(sh: &Shell, component: &str, output: Output) -> Result<()> {
    if which::which("rustup").is_err() {
        output.note(&format!(
            "not done, this Rust has no rustup: {component} comes with it or not"
        ));
        return Ok(());
    }
    output.note(&format!("running: rustup component add {component}"));
    Ok(cmd!(sh, "rustup component add {component}").quiet().run()?)
}

fn install(sh: &Shell, packages: &BTreeSet<&str>, output: Output) -> Result<()> {
    let list = packages.iter().copied().collect::<Vec<_>>().join(" ");
    if !Path::new("/etc/debian_version").exists() || which::which("apt-get").is_err() {
        output.note(&format!(
            "not done, this is no Debian: apt-get install {list}"
        ));
        return Ok(());
    }
    if cmd!(sh, "id -u").quiet().read()? != "0" {
        output.note(&format!("not done, it needs root: apt-get install {list}"));
        return Ok(());
    }
    output.note(&format!("running: apt-get install {list}"));
    let _noninteractive = sh.push_env("DEBIAN_FRONTEND", "noninteractive");
    let update = cmd!(sh, "apt-get update -qq");
    update.quiet().ignore_stdout().run()?;
    let install = cmd!(
        sh,
        "apt-get install -qq --yes --no-install-recommends {packages...}"
    );
    Ok(install.quiet().ignore_stdout().run()?)
}
