//! Which programs are started.

use std::env;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use stigmer_process::text;

use super::SettingsError;
use crate::daemon::Part;

/// The programs of the stack's own parts. Absolute paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    pub server: Utf8PathBuf,
    pub workflow_runner: Utf8PathBuf,
    pub agent_runner: Utf8PathBuf,
}

impl Programs {
    /// Each as its variable says, else the one beside this program.
    pub fn resolve() -> Result<Self, SettingsError> {
        let find = |what: &'static str, variable: &'static str| {
            let path = match text(variable) {
                Some(path) => absolute(path.into()),
                None => beside_this_program(what),
            };
            match path.is_file() {
                true => Ok(path),
                false => Err(SettingsError::Program {
                    what,
                    path,
                    variable,
                }),
            }
        };
        Ok(Self {
            server: find("stigmer-server", "STIGMER_SERVER_BIN")?,
            workflow_runner: find("stigmer-workflow-runner", "STIGMER_WORKFLOW_RUNNER_BIN")?,
            agent_runner: find("stigmer-agent-runner", "STIGMER_AGENT_RUNNER_BIN")?,
        })
    }

    /// The program of `part`; nothing for one that is not the stack's own.
    pub fn of(&self, part: Part) -> Option<&Utf8PathBuf> {
        match part {
            Part::Temporal => None,
            Part::Server => Some(&self.server),
            Part::WorkflowRunner => Some(&self.workflow_runner),
            Part::AgentRunner => Some(&self.agent_runner),
        }
    }
}

fn beside_this_program(name: &str) -> Utf8PathBuf {
    let own = env::current_exe().and_then(|path| path.canonicalize());
    let own = own
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    own.as_ref()
        .and_then(|path| path.parent())
        .map_or_else(|| Utf8PathBuf::from(name), |folder| folder.join(name))
}

/// `path` as it is meant here; the supervisor works elsewhere.
pub(super) fn absolute(path: Utf8PathBuf) -> Utf8PathBuf {
    let absolute = std::path::absolute(&path).ok();
    let absolute = absolute.and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    absolute.unwrap_or(path)
}
