//! The Temporal dev server.

use std::{cell::Cell, rc::Rc, time::Duration};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::LocalBoxFuture;
use stigmer_temporal::{Target, check_health, connect};

use super::{free_port, says_port_taken};
use crate::{
    session::SharedTemporal,
    supervise::{Readiness, Service, Spec, StopPolicy},
};

/// A dev server in memory on a free port of 127.0.0.1.
#[derive(Clone, Debug)]
pub struct Temporal {
    cli: Utf8PathBuf,
    folder: Utf8PathBuf,
    port: Rc<Cell<u16>>,
}

impl Temporal {
    /// The dev server of the Temporal CLI `cli`; its log goes to `folder`.
    pub fn new(cli: &Utf8Path, folder: &Utf8Path) -> Self {
        Self {
            cli: cli.to_owned(),
            folder: folder.to_owned(),
            port: Rc::default(),
        }
    }

    /// Where it is found; once it is ready.
    pub fn shared(&self) -> SharedTemporal {
        SharedTemporal {
            address: self.target().address,
            cli: self.cli.clone(),
        }
    }

    fn target(&self) -> Target {
        Target::plain(format!("127.0.0.1:{}", self.port.get()), "default")
    }
}

impl Temporal {
    /// Its name in reports.
    pub const NAME: &str = "temporal";

    /// What the Temporal CLI is told to run a dev server on `port` of 127.0.0.1.
    pub(crate) fn arguments(port: u16) -> Vec<String> {
        let port = port.to_string();
        [
            "server",
            "start-dev",
            "--headless",
            "--ip",
            "127.0.0.1",
            "--port",
            port.as_str(),
            "--log-level",
            "warn",
            // The user's own configuration of the CLI is none of ours.
            "--disable-config-file",
            "--disable-config-env",
            // The transfer queue is otherwise polled 20 times a second, which adds 100 ms to every
            // workflow.
            "--dynamic-config-value",
            "history.transferProcessorMaxPollRPS=1000",
            // A queue has four partitions otherwise, which are loaded and forward to each other:
            // twice the work for every namespace, and nothing gained on one machine.
            "--dynamic-config-value",
            "matching.numTaskqueueReadPartitions=1",
            "--dynamic-config-value",
            "matching.numTaskqueueWritePartitions=1",
            // Once in some thousand times a wait for the end of a workflow misses it, and learns of it
            // only when its long poll expires: after 20 s otherwise.
            "--dynamic-config-value",
            "history.longPollExpirationInterval=\"1s\"",
        ]
        .map(ToOwned::to_owned)
        .into()
    }
}

impl Service for Temporal {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let port = free_port().context("no free port for Temporal")?;
        self.port.set(port);
        let log = self.folder.join("temporal.log");
        Ok(Spec::new(self.name(), &self.cli, log)
            .args(Self::arguments(port))
            // Otherwise it asks its makers whether there is a newer version.
            .env("TEMPORAL_VERSION_CHECK_DISABLED", "1")
            // It writes into its user's configuration at every start.
            .env("HOME", self.folder.as_str())
            .env("XDG_CONFIG_HOME", self.folder.join("config")))
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let target = self.target();
        Box::pin(async move {
            match temporal_answers(&target).await {
                Ok(()) => Readiness::Ready,
                Err(error) => Readiness::NotYet(format!("{error:#}")),
            }
        })
    }

    fn stop_policy(&self) -> StopPolicy {
        // A polite end takes it two seconds, and it keeps nothing.
        StopPolicy::Kill
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn was_unlucky(&self, log_tail: &[String]) -> bool {
        says_port_taken(log_tail)
    }

    fn address(&self) -> Option<String> {
        Some(self.target().address)
    }
}

/// Whether a Temporal answers at `target`: SERVING, and the namespace is there.
pub async fn temporal_answers(target: &Target) -> anyhow::Result<()> {
    let client = connect(target, "stigmer-e2e").await?;
    Ok(check_health(&client).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_taken_in_between_is_bad_luck_and_other_errors_are_not() {
        let temporal = Temporal::new("/b/temporal".into(), "/r".into());
        let unlucky = |line: &str| temporal.was_unlucky(&["starting".to_owned(), line.to_owned()]);
        assert!(unlucky(
            "Error: can't set frontend port 1: listen tcp 127.0.0.1:1: bind: Address already in use"
        ));
        assert!(!unlucky("Error: permission denied"));
    }

    #[test]
    fn every_start_takes_another_port() {
        let temporal = Temporal::new("/b/temporal".into(), "/r".into());
        temporal.command().unwrap();
        let first = temporal.address();
        temporal.command().unwrap();
        assert_ne!(first, temporal.address());
    }
}
