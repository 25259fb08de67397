//! Building everything once: what is tested, and what tests it. Everything later uses these files.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{Stack, read_json, write_json};
use xshell::{Shell, cmd};

use crate::{
    cargo::{JSON, run_cargo},
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
    /// Every binary.
    pub fn binaries(&self) -> [&Utf8PathBuf; 6] {
        let Stack {
            cli,
            server,
            workflow_runner,
            agent_runner,
        } = &self.stack;
        [
            cli,
            server,
            workflow_runner,
            agent_runner,
            &self.driver,
            &self.suite,
        ]
    }

    /// What the last build gave, if there was one.
    pub fn last(checkout: &Checkout) -> Option<Self> {
        read_json(&record_path(checkout)).ok()
    }
}

fn record_path(checkout: &Checkout) -> Utf8PathBuf {
    checkout.binaries.join("stigmer-e2e.build.json")
}

/// Builds the workspace and what the projects of tests depend on, and says in one line how much
/// there was to do.
pub fn build(checkout: &Checkout, cargo: &Utf8Path) -> Result<(Built, String)> {
    let sh = Shell::new()?;
    sh.change_dir(&checkout.root);
    let revision = Revision::ask(&checkout.root);
    let build = cmd!(
        sh,
        "{cargo} build --locked {SELECTION...} --bins --test suite {JSON}"
    );
    let output = run_cargo(build)?;
    let executable = |name: &str| {
        let found = output.executables.get(name).cloned();
        found.with_context(|| format!("the build gave no `{name}`: is it still in the workspace?"))
    };
    let stack = Stack {
        cli: executable("stigmer")?,
        server: executable("stigmer-server")?,
        workflow_runner: executable("stigmer-workflow-runner")?,
        agent_runner: executable("stigmer-agent-runner")?,
    };
    let (driver, suite) = (executable("stigmer-e2e")?, executable("suite")?);
    let built = Built {
        driver,
        suite,
        stack,
        revision: revision.answer(),
    };
    let compiled = output.compiled + projects::build(checkout, cargo)?;
    write_json(&record_path(checkout), &built)?;
    let summary = match compiled {
        0 => "nothing to compile".to_owned(),
        compiled => format!("{compiled} targets compiled"),
    };
    Ok((built, summary))
}
