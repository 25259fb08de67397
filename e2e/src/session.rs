//! What a test needs to know about the run it belongs to. The driver writes it once the shared
//! services are ready; tests read it.

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{Stack, read_json};

use crate::supervise::{Identity, ServiceStarted};

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
    /// The shared Temporal.
    pub temporal: SharedTemporal,
    /// The shared model, unless the run has none.
    pub llm: Option<SharedModel>,
    /// A whole stack to play with; only `up` starts one.
    pub playground: Option<Playground>,
    /// Target directory for projects that tests write and the CLI compiles.
    pub project_target: Utf8PathBuf,
    /// The cargo that builds projects.
    pub cargo: Utf8PathBuf,
    /// Keep directories after the run.
    pub keep: bool,
    /// A missing prerequisite skips a test instead of failing it.
    pub allow_skip: bool,
    /// The process that owns the services; nothing on a system without `/proc`.
    pub owner: Option<Identity>,
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
}

/// A server and its agent-runner on the shared services.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Playground {
    /// The server, `host:port`.
    pub server: String,
}

impl Session {
    /// Where `up` leaves the session of the checkout `root`.
    pub fn attached_file(root: &Utf8Path) -> Utf8PathBuf {
        root.join("target/e2e/session.json")
    }

    /// The session of the test that calls: the file named by `STIGMER_E2E_SESSION`, else the one
    /// that `cargo xtask up` left in the checkout.
    ///
    /// # Errors
    ///
    /// When there is none, or the run it describes is over.
    pub fn load() -> Result<Self> {
        let file = match std::env::var(SESSION_VARIABLE) {
            Ok(file) if !file.is_empty() => Utf8PathBuf::from(file),
            _ => Self::attached_file(&checkout()),
        };
        Self::of(&file)
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
            temporal: SharedTemporal {
                address: "127.0.0.1:1".into(),
                cli: "/b/temporal".into(),
            },
            llm: None,
            playground: None,
            project_target: "/checkout/target/e2e/projects".into(),
            cargo: "/usr/bin/cargo".into(),
            keep: false,
            allow_skip: false,
            owner,
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
