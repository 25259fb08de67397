//! What a [`Supervisor`](super::Supervisor) runs, and what it says about it.

use std::time::Duration;

use camino::Utf8PathBuf;
use futures_util::future::LocalBoxFuture;

use crate::{HealthPolicy, Identity, Phase, Readiness, RestartPolicy, Spec, StopPolicy, Stopped};

/// A service that a [`Supervisor`](super::Supervisor) can run.
pub trait Service {
    /// Its name in reports.
    fn name(&self) -> &str;
    /// The names of the services that must be ready before it starts.
    fn depends_on(&self) -> &[&str] {
        &[]
    }
    /// What to start; asked for when all it depends on is ready, and again for another try.
    fn command(&self) -> anyhow::Result<Spec>;
    /// Whether it does its work, asked over its own protocol.
    fn probe(&self) -> LocalBoxFuture<'static, Readiness>;
    /// Whether it still does its work, asked while it is ready; the same question unless there is a
    /// cheaper or a fairer one.
    fn health(&self) -> LocalBoxFuture<'static, Readiness> {
        self.probe()
    }
    /// Whether and how it is watched while it is ready.
    fn health_policy(&self) -> Option<HealthPolicy> {
        None
    }
    /// Whether and how it is started again when it fails after it was ready.
    fn restart_policy(&self) -> Option<RestartPolicy> {
        None
    }
    /// How it is stopped.
    fn stop_policy(&self) -> StopPolicy {
        StopPolicy::default()
    }
    /// How long it may take to become ready.
    fn ready_within(&self) -> Duration {
        Duration::from_secs(30)
    }
    /// Whether the end of its log shows bad luck (a port taken in between) rather than a fault.
    fn was_unlucky(&self, _log_tail: &[String]) -> bool {
        false
    }
    /// Where it can be reached, for reports; once it is ready.
    fn address(&self) -> Option<String> {
        None
    }
}

/// A service that became ready.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ServiceStarted {
    /// Its name.
    pub name: String,
    /// Its pid.
    pub pid: u32,
    /// From its start to its proof of readiness, in milliseconds.
    pub ms: u64,
    /// Where it can be reached.
    pub address: Option<String>,
    /// Its log file.
    pub log: Utf8PathBuf,
}

/// A service that was stopped.
#[derive(Clone, Debug)]
pub struct ServiceStopped {
    /// Its name.
    pub name: String,
    /// How that went.
    pub stopped: Stopped,
}

/// How a service stands.
#[derive(Clone, Debug)]
pub struct ServiceState {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub phase: Phase,
    /// Its process, while there is one.
    pub process: Option<Identity>,
    /// How often it was started again.
    pub restarts: u32,
    /// What went wrong last, if anything did.
    pub last_failure: Option<String>,
    /// It failed for good.
    pub failed: bool,
}
