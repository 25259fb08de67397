//! Building everything once: what is tested, and what tests it. Everything later uses these files.

use std::{panic::resume_unwind, thread};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{Stack, read_json, write_json};
use xshell::{Shell, cmd};

use crate::{
    cargo::{CargoOutput, JSON, run_cargo},
    checkout::Checkout,
    projects,
    revision::Revision,
};

/// What is built, always: another selection would unify other features, and compile again what is
/// there. `xtask` runs already, and fixtures are compiled as the stack's own CLI does it.
pub const SELECTION: [&str; 5] = [
    "--workspace",
    "--exclude",
    "xtask",
    "--exclude",
    "fixture-*",
];

/// How much a run needs built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Whole,
    /// The CLI, and what tests with it: there is no stack to start.
    Client,
}

/// What a build gave. Absolute paths.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Built {
    /// The driver.
    pub driver: Utf8PathBuf,
    /// The suite's test binary.
    pub suite: Utf8PathBuf,
    /// The stack under test.
    pub stack: Stack,
    /// The commit that the checkout was at; nothing when it is no Git repository.
    #[serde(default)]
    pub revision: Option<String>,
}

impl Built {
    /// Every binary of the extent.
    pub fn binaries(&self, extent: Extent) -> Vec<&Utf8PathBuf> {
        let Stack {
            cli,
            server,
            workflow_runner,
            agent_runner,
        } = &self.stack;
        let mut binaries = vec![cli];
        if extent == Extent::Whole {
            binaries.extend([server, workflow_runner, agent_runner]);
        }
        binaries.extend([&self.driver, &self.suite]);
        binaries
    }

    /// What the last build gave, if there was one.
    pub fn last(checkout: &Checkout) -> Option<Self> {
        read_json(&record_path(checkout)).ok()
    }
}

/// The record of the last build, beside the binaries.
pub const BUILD_RECORD: &str = "stigmer-e2e.build.json";

fn record_path(checkout: &Checkout) -> Utf8PathBuf {
    checkout.binaries.join(BUILD_RECORD)
}

/// Builds the workspace, or what of it the extent needs, and for a stack also what the projects of tests
/// depend on. Says in one line how much there was to do.
pub fn build(checkout: &Checkout, cargo: &Utf8Path, extent: Extent) -> Result<(Built, String)> {
    let sh = Shell::new()?;
    sh.change_dir(&checkout.root);
    let revision = Revision::ask(&checkout.root);
    // The same selection of packages for any extent, so that the same features are unified.
    let programs: &[&str] = match extent {
        Extent::Whole => &["--bins"],
        Extent::Client => &["--bin", "stigmer", "--bin", "stigmer-e2e"],
    };
    let build = cmd!(
        sh,
        "{cargo} build --locked {SELECTION...} {programs...} --test suite {JSON}"
    );
    // The projects have a target directory of their own, so both builds can go on at the same time:
    // what is compiled last here is a crate at a time, and leaves processors idle.
    let (output, projects) = thread::scope(|scope| {
        let projects =
            (extent == Extent::Whole).then(|| scope.spawn(|| projects::build(checkout, cargo)));
        (run_cargo(build), projects.map(|projects| projects.join()))
    });
    let output = output?;
    let projects = projects.map(|built| built.unwrap_or_else(|panic| resume_unwind(panic)));
    let projects = projects.transpose()?.unwrap_or_default();
    let stack = match extent {
        Extent::Whole => stack(&output)?,
        Extent::Client => Stack {
            cli: executable(&output, PARTS[0])?,
            ..unbuilt(checkout)
        },
    };
    let (driver, suite) = (
        executable(&output, "stigmer-e2e")?,
        executable(&output, "suite")?,
    );
    let built = Built {
        driver,
        suite,
        stack,
        revision: revision.answer(),
    };
    let compiled = output.compiled + projects;
    write_json(&record_path(checkout), &built)?;
    Ok((built, summary(compiled)))
}

/// Builds the stack with deliberate faults compiled in, beside the one for use: only the crates that
/// know of faults are compiled once more. Says in one line how much there was to do.
pub fn build_with_faults(checkout: &Checkout, cargo: &Utf8Path) -> Result<(Stack, String)> {
    let sh = Shell::new()?;
    sh.change_dir(&checkout.root);
    // The same selection as for use, so that the same features are unified.
    let programs = PARTS.iter().flat_map(|part| ["--bin", part]);
    let build = cmd!(
        sh,
        "{cargo} build --locked {SELECTION...} {programs...} --features stigmer-fault/faults {JSON}"
    )
    // What is compiled goes where everything is, the programs elsewhere.
    .env("CARGO_BUILD_BUILD_DIR", &checkout.target)
    .env("CARGO_TARGET_DIR", checkout.target.join("faults"));
    let output = run_cargo(build)?;
    Ok((stack(&output)?, summary(output.compiled)))
}

/// The programs of the stack.
const PARTS: [&str; 4] = [
    "stigmer",
    "stigmer-server",
    "stigmer-workflow-runner",
    "stigmer-agent-runner",
];

/// Where the programs of the stack are, if they are.
fn unbuilt(checkout: &Checkout) -> Stack {
    let [cli, server, workflow_runner, agent_runner] = PARTS.map(|it| checkout.binaries.join(it));
    Stack {
        cli,
        server,
        workflow_runner,
        agent_runner,
    }
}

fn stack(output: &CargoOutput) -> Result<Stack> {
    let [cli, server, workflow_runner, agent_runner] = PARTS;
    Ok(Stack {
        cli: executable(output, cli)?,
        server: executable(output, server)?,
        workflow_runner: executable(output, workflow_runner)?,
        agent_runner: executable(output, agent_runner)?,
    })
}

fn executable(output: &CargoOutput, name: &str) -> Result<Utf8PathBuf> {
    let found = output.executables.get(name).cloned();
    found.with_context(|| format!("the build gave no `{name}`: is it still in the workspace?"))
}

fn summary(compiled: usize) -> String {
    match compiled {
        0 => "nothing to compile".to_owned(),
        compiled => format!("{compiled} targets compiled"),
    }
}
