//! What belongs to a run in the engine, found by its labels: containers and networks outlive the
//! processes that made them.

use serde::{Deserialize, Serialize};

use super::engine::{Engine, EngineError};
use crate::supervise::Identity;

/// The label that names the run.
const RUN: &str = "stigmer.e2e.run";
/// The label that names the process that owns the run.
const OWNER: &str = "stigmer.e2e.owner";

/// A run, and the process that carries it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The run.
    pub run_id: String,
    /// The process; nothing on a system without `/proc`.
    pub process: Option<Identity>,
}

impl Owner {
    /// This process, which carries out the run `run_id`.
    pub fn this(run_id: &str) -> Self {
        Self {
            run_id: run_id.to_owned(),
            process: Identity::own(),
        }
    }

    /// The labels of what belongs to the run.
    pub(super) fn labels(&self) -> Vec<String> {
        let owner = self
            .process
            .map(|own| format!("{OWNER}={}-{}", own.pid, own.start));
        std::iter::once(format!("{RUN}={}", self.run_id))
            .chain(owner)
            .collect()
    }
}

/// What of a run was still in the engine, and is not any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Names of containers that had been started.
    pub containers: Vec<String>,
    /// Names of networks.
    pub networks: Vec<String>,
}

impl Engine {
    /// Removes every container and every network of the run `run_id`, running or not.
    ///
    /// # Errors
    ///
    /// When the engine does not.
    pub fn remove_all_of(&self, run_id: &str) -> Result<Removed, EngineError> {
        self.remove(&format!("label={RUN}={run_id}"))
    }

    /// Removes what runs have left whose owner is gone.
    ///
    /// # Errors
    ///
    /// When the engine does not.
    pub fn remove_abandoned(&self) -> Result<Removed, EngineError> {
        let format = format!("{{{{.Label \"{OWNER}\"}}}}");
        let (any, with_owner) = (format!("label={OWNER}"), ["--filter", "--format"]);
        let containers = self.ask(&["ps", "--all", with_owner[0], &any, with_owner[1], &format])?;
        let networks = self.ask(&["network", "ls", with_owner[0], &any, with_owner[1], &format])?;
        let mut owners: Vec<_> = containers.lines().chain(networks.lines()).collect();
        owners.sort_unstable();
        owners.dedup();
        let mut all = Removed::default();
        for owner in owners.into_iter().filter(|owner| !lives(owner)) {
            let Removed {
                containers,
                networks,
            } = self.remove(&format!("label={OWNER}={owner}"))?;
            all.containers.extend(containers);
            all.networks.extend(networks);
        }
        Ok(all)
    }

    fn remove(&self, filter: &str) -> Result<Removed, EngineError> {
        let found = self.ask(&[
            "ps",
            "--all",
            "--filter",
            filter,
            "--format",
            "{{.Names}}\t{{.State}}",
        ])?;
        let found: Vec<_> = found
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .collect();
        for (name, _) in &found {
            self.remove_container(name)?;
        }
        let networks = self.ask(&["network", "ls", "--filter", filter, "--format", "{{.Name}}"])?;
        let networks: Vec<_> = networks.lines().map(str::to_owned).collect();
        for name in &networks {
            self.ask(&["network", "rm", name])?;
        }
        // One that was never started did nothing: its client was ended before it could be.
        let started = found.into_iter().filter(|(_, state)| *state != "created");
        Ok(Removed {
            containers: started.map(|(name, _)| name.to_owned()).collect(),
            networks,
        })
    }

    /// Removes one container, which may be on its way out already.
    fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        match self.ask(&["rm", "--force", name]) {
            Err(EngineError::Refused { reason, .. })
                if reason.contains("No such container")
                    || reason.contains("already in progress") =>
            {
                Ok(())
            }
            other => other.map(drop),
        }
    }
}

/// Whether the owner that a label names still runs.
fn lives(label: &str) -> bool {
    let parse = || {
        let (pid, start) = label.split_once('-')?;
        Some(Identity {
            pid: pid.parse().ok()?,
            start: start.parse().ok()?,
        })
    };
    parse().is_some_and(|owner| owner.is_alive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_by_its_label_as_long_as_it_lives() {
        let labels = Owner::this("r").labels();
        assert_eq!(labels[0], "stigmer.e2e.run=r");
        let owner = labels[1].strip_prefix("stigmer.e2e.owner=").unwrap();
        assert!(lives(owner));
        assert!(!lives(&format!("{owner}0")));
        assert!(!lives("nobody"));
    }
}
