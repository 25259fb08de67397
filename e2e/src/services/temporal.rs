//! The Temporal dev server.

use std::{cell::RefCell, fs, net::SocketAddr, rc::Rc, time::Duration};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::LocalBoxFuture;
use stigmer_e2e_plan::ContainerPart;
use stigmer_process::{DEV_SERVER, NO_VERSION_CHECK};
use stigmer_temporal::{Target, check_health, connect};

use super::{Doorway, says_port_taken};
use crate::{
    containers::{Containers, Launch, Place},
    harness::reached_at,
    session::SharedTemporal,
    supervise::{Readiness, Service, Spec, StopPolicy},
};

/// A dev server in memory on a free port.
#[derive(Clone, Debug)]
pub struct Temporal {
    cli: Utf8PathBuf,
    folder: Utf8PathBuf,
    containers: Option<Containers>,
    at: Rc<RefCell<Option<Doorway>>>,
}

impl Temporal {
    /// The dev server of the Temporal CLI `cli`; its log goes to `folder`.
    pub fn new(cli: &Utf8Path, folder: &Utf8Path) -> Self {
        Self {
            cli: cli.to_owned(),
            folder: folder.to_owned(),
            containers: None,
            at: Rc::default(),
        }
    }

    /// Where `containers` reach it; in one of them, if they have an image of it.
    pub fn beside(mut self, containers: Option<Containers>) -> Self {
        if let Some(containers) = &containers {
            reached_at(containers.host());
        }
        self.containers = containers;
        self
    }

    /// Where it is found; once it is ready.
    pub fn shared(&self) -> SharedTemporal {
        SharedTemporal {
            address: self.target().address,
            cli: self.cli.clone(),
        }
    }

    fn target(&self) -> Target {
        let at = self.at.borrow();
        let address = at.as_ref().map(|at| at.address().to_owned());
        Target::plain(address.unwrap_or_default(), "default")
    }
}

impl Temporal {
    /// Its name in reports.
    pub const NAME: &str = "temporal";

    /// What the Temporal CLI is told to run a dev server that listens on `socket`.
    pub(crate) fn arguments(socket: SocketAddr) -> Vec<String> {
        let (ip, port) = (socket.ip().to_string(), socket.port().to_string());
        let own = ["--headless", "--ip", ip.as_str(), "--port", port.as_str()];
        let all = DEV_SERVER.iter().chain(&own);
        all.map(|word| (*word).to_owned()).collect()
    }
}

impl Service for Temporal {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let (home, part) = (self.folder.join("temporal"), ContainerPart::Temporal);
        fs::create_dir_all(&home).with_context(|| format!("failed to create {home}"))?;
        if let Some(containers) = &self.containers {
            let given = containers.give(&home);
            given.with_context(|| format!("failed to give {home} to the user of containers"))?;
        }
        let place = Place::of(self.containers.as_ref(), part, Self::NAME, &home)
            .context("no address for Temporal")?;
        let at = Doorway::to(place).context("no free port for Temporal")?;
        let variables = [
            NO_VERSION_CHECK,
            // It writes into its user's configuration at every start.
            ("HOME", home.as_str()),
        ];
        let launch = Launch {
            name: Self::NAME,
            program: &self.cli,
            arguments: Self::arguments(at.listens()),
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            log: &self.folder.join("temporal.log"),
        };
        // Each try has a port of its own, and so a name.
        let spec = at.place().spec(launch, usize::from(at.listens().port()));
        self.at.replace(Some(at));
        Ok(spec)
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
        let folder = tempfile::tempdir().unwrap();
        let temporal = Temporal::new("/b/temporal".into(), folder.path().try_into().unwrap());
        temporal.command().unwrap();
        let first = temporal.address();
        temporal.command().unwrap();
        assert_ne!(first, temporal.address());
    }
}
