//! What a test needs to know about the run it belongs to. The driver writes it once the shared
//! services are ready; tests read it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{
    Faults, LlmFiles, LoadPlan, ServerAddress, Stack, read_json, repro_command, staleness,
};

use crate::{
    containers::Containers,
    supervise::{Identity, ServiceStarted},
};

/// The environment variable that names the session file.
pub const SESSION_VARIABLE: &str = "STIGMER_E2E_SESSION";

/// A run whose shared services are ready. Paths are absolute.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Names the run, and marks its processes.
    pub run_id: String,
    /// Seeds whatever a test draws.
    pub seed: u64,
    /// The checkout.
    pub root: Utf8PathBuf,
    /// The results folder of the run.
    pub results: Utf8PathBuf,
    /// The binaries under test.
    pub stack: Stack,
    /// That they have deliberate faults compiled in.
    #[serde(default)]
    pub faults: Option<Faults>,
    /// For how long chaos goes on, in minutes; the test's own choice when unset.
    #[serde(default)]
    pub chaos_minutes: Option<u64>,
    /// What load the stack is put under; the tests' own choice when unset.
    #[serde(default)]
    pub load: Option<LoadPlan>,
    /// What each of them says its version and build are, by its name; none says nothing.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// The shared Temporal.
    pub temporal: SharedTemporal,
    /// The shared model, unless the run has none.
    pub llm: Option<SharedModel>,
    /// The folder whose recorded answers stand in for a model.
    #[serde(default)]
    pub cassettes: Option<Utf8PathBuf>,
    /// The pinned model, unless the run has none.
    #[serde(default)]
    pub own_llm: Option<OwnModel>,
    /// A whole stack to play with; only `up` starts one.
    pub playground: Option<Playground>,
    /// The server of somebody else that is only read from; with it, there is no Temporal and no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerAddress>,
    /// For how long a stack idles in the test of that, in minutes; an hour when unset.
    #[serde(default)]
    pub idle_minutes: Option<u64>,
    /// Target directory for projects that tests write and the CLI compiles.
    pub project_target: Utf8PathBuf,
    /// The cargo that builds projects.
    pub cargo: Utf8PathBuf,
    /// Keep directories after the run.
    pub keep: bool,
    /// A missing prerequisite skips a test instead of failing it.
    pub allow_skip: bool,
    /// One test in so many, chosen by the seed, is inspected at its end: its server is killed and
    /// restarted, and its workflows are replayed. Zero means none.
    #[serde(default)]
    pub inspect_every: u64,
    /// The process that owns the services; nothing on a system without `/proc`.
    pub owner: Option<Identity>,
    /// What starts the parts that run in containers; nothing when none does.
    #[serde(default)]
    pub containers: Option<Containers>,
    /// The services that were started.
    pub services: Vec<ServiceStarted>,
}

/// The shared Temporal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedTemporal {
    /// Its frontend, `host:port`.
    pub address: String,
    /// The Temporal CLI.
    pub cli: Utf8PathBuf,
}

/// The shared model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedModel {
    /// An OpenAI-compatible API, up to and including `/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// SHA-256 of the model file in hex, when the model is pinned.
    pub sha256: Option<String>,
    /// Who serves it: `llama-cpp` or `openai`; unknown when empty.
    #[serde(default)]
    pub provider: String,
}

/// What a test needs to start the pinned model for itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnModel {
    /// A Python that can load the llama.cpp server.
    pub python: Utf8PathBuf,
    /// The llama.cpp server and its model.
    pub files: LlmFiles,
}

/// A server and its agent-runner on the shared services.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Playground {
    /// The server, `host:port`.
    pub server: String,
}

impl Session {
    /// The command that runs the test `function` again. Services that were started by `up` belong to no
    /// run that could be repeated; with them it is run as any test is.
    pub fn again(&self, function: &str) -> String {
        match self.results.join("run.json").exists() {
            true => repro_command(&self.root, &self.results, Some(function), self.seed),
            false => format!("cargo xtask e2e {function} --seed {}", self.seed),
        }
    }

    /// Where `up` leaves the session of the checkout `root`.
    pub fn attached_file(root: &Utf8Path) -> Utf8PathBuf {
        root.join("target/e2e/session.json")
    }

    /// The session of the test that calls: the file named by `STIGMER_E2E_SESSION`, else the one
    /// that `cargo xtask up` left in the checkout.
    ///
    /// # Errors
    ///
    /// When there is none, or the run it describes is over, or a binary of the checkout's stack is
    /// older than its source.
    pub fn load() -> Result<Self> {
        match std::env::var(SESSION_VARIABLE) {
            Ok(file) if !file.is_empty() => Self::of(Utf8Path::new(&file)),
            _ => Self::of(&Self::attached_file(&checkout()))?.with_fresh_binaries(),
        }
    }

    /// The same session, unless its stack is not what the sources say by now: the driver builds
    /// before it runs tests, and whoever runs tests without it may have changed a source since `up`.
    fn with_fresh_binaries(self) -> Result<Self> {
        let Stack {
            cli,
            server,
            workflow_runner,
            agent_runner,
        } = &self.stack;
        for binary in [cli, server, workflow_runner, agent_runner] {
            if let Some(cause) = staleness(binary, &self.root, &[]) {
                bail!(
                    "{cause}: run `cargo xtask down` and `cargo xtask up` again, which builds it"
                );
            }
        }
        Ok(self)
    }

    /// The session in `file`, if its owner still runs.
    pub fn of(file: &Utf8Path) -> Result<Self> {
        if !file.exists() {
            bail!(
                "no stack is up ({file} does not exist): run `cargo xtask e2e`, or `cargo xtask up` and this test again"
            );
        }
        let session: Self = read_json(file)
            .context("the session file is not one of this version; run `cargo xtask down`")?;
        if session.owner.is_some_and(|owner| !owner.is_alive()) {
            bail!("the stack that {file} describes is gone: run `cargo xtask up` again");
        }
        Ok(session)
    }
}

/// The checkout this suite was built from.
fn checkout() -> Utf8PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    // The suite's package is a folder of the checkout.
    Utf8Path::new(&package)
        .parent()
        .map(Utf8Path::to_owned)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use stigmer_e2e_plan::write_json;

    use super::*;

    fn session(owner: Option<Identity>) -> Session {
        Session {
            run_id: "r".into(),
            seed: 1,
            root: "/checkout".into(),
            results: "/checkout/results/r".into(),
            stack: Stack {
                cli: "/b/stigmer".into(),
                server: "/b/s".into(),
                workflow_runner: "/b/w".into(),
                agent_runner: "/b/a".into(),
            },
            faults: None,
            chaos_minutes: None,
            load: None,
            versions: BTreeMap::new(),
            temporal: SharedTemporal {
                address: "127.0.0.1:1".into(),
                cli: "/b/temporal".into(),
            },
            llm: None,
            cassettes: None,
            own_llm: None,
            playground: None,
            server: None,
            idle_minutes: None,
            project_target: "/checkout/target/e2e/projects".into(),
            cargo: "/usr/bin/cargo".into(),
            keep: false,
            allow_skip: false,
            inspect_every: 1,
            owner,
            containers: None,
            services: Vec::new(),
        }
    }

    fn written(session: &Session) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8PathBuf::from_path_buf(folder.path().join("session.json")).unwrap();
        write_json(&file, session).unwrap();
        (folder, file)
    }

    #[test]
    fn a_session_is_read_as_it_was_written() {
        let (_keep, file) = written(&session(Identity::own()));
        assert_eq!(Session::of(&file).unwrap().temporal.address, "127.0.0.1:1");
    }

    #[test]
    fn without_a_stack_the_error_says_how_to_get_one() {
        let error = Session::of(Utf8Path::new("/no/such/session.json"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("cargo xtask up") && !error.contains('\n'),
            "{error}"
        );
    }

    #[test]
    fn a_stack_that_is_older_than_its_source_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let program = |name: &str| {
            let path = root.join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::write(path.with_extension("d"), format!("{path}: {name}.rs\n")).unwrap();
            path
        };
        let names = ["cli", "server", "workflow-runner", "agent-runner"];
        for name in names {
            std::fs::write(root.join(format!("{name}.rs")), "").unwrap();
        }
        let [cli, server, workflow_runner, agent_runner] = names.map(program);
        let session = Session {
            root: root.to_owned(),
            stack: Stack {
                cli,
                server,
                workflow_runner,
                agent_runner,
            },
            ..session(None)
        };
        let session = session.with_fresh_binaries().unwrap();
        std::fs::remove_file(root.join("server.rs")).unwrap();
        let error = session.with_fresh_binaries().unwrap_err().to_string();
        assert!(
            error.contains("server is older than") && error.contains("cargo xtask up"),
            "{error}"
        );
    }

    #[test]
    fn the_session_of_a_dead_owner_is_refused() {
        let dead = Identity::own().map(|own| Identity {
            start: own.start.wrapping_sub(1),
            ..own
        });
        let (_keep, file) = written(&session(dead));
        assert!(
            Session::of(&file)
                .unwrap_err()
                .to_string()
                .contains("is gone")
        );
    }
}
