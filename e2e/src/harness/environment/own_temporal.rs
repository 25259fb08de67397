//! A Temporal that belongs to one environment, for tests that kill it.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_temporal::Target;

use super::settings::Variables;
use crate::{
    services::{Temporal as Service, free_port, temporal_answers},
    supervise::{Child, Readiness, ServiceError, Spec, StopPolicy},
};

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// A dev server with its state in a file, so that it is all there after a crash.
#[derive(Debug)]
pub struct OwnTemporal {
    cli: Utf8PathBuf,
    folder: Utf8PathBuf,
    variables: Variables,
    port: u16,
    child: tokio::sync::Mutex<Option<Child>>,
}

impl OwnTemporal {
    /// One that will run on a free port, by the Temporal CLI `cli`, with its files in `folder`.
    pub(super) fn new(
        cli: &Utf8Path,
        folder: &Utf8Path,
        variables: Variables,
    ) -> std::io::Result<Self> {
        Ok(Self {
            cli: cli.to_owned(),
            folder: folder.to_owned(),
            variables,
            port: free_port()?,
            child: tokio::sync::Mutex::default(),
        })
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it, also again after [`kill9`](Self::kill9): on the same port, with what it had stored.
    ///
    /// # Errors
    ///
    /// When it does not answer in time.
    pub async fn start(&self) -> Result<(), ServiceError> {
        let mut spec = Spec::new(
            Service::NAME,
            &self.cli,
            self.folder.join("own-temporal.log"),
        )
        .args(Service::arguments(self.port))
        .args([
            "--db-filename".to_owned(),
            self.folder.join("own-temporal.db").into_string(),
        ])
        .env_clear()
        .ready_within(START);
        for (variable, value) in &self.variables {
            spec = spec.env(variable, value);
        }
        let mut slot = self.child.lock().await;
        let child = slot.insert(Child::spawn(spec)?);
        let target = Target::plain(self.address(), "default");
        let look = async || match temporal_answers(&target).await {
            Ok(()) => Readiness::Ready,
            Err(error) => Readiness::NotYet(format!("{error:#}")),
        };
        child.wait_ready(look).await.map(drop)
    }

    /// Ends it with SIGKILL, as a crash would.
    ///
    /// # Errors
    ///
    /// When not even that ends it.
    pub async fn kill9(&self) -> Result<(), ServiceError> {
        match self.child.lock().await.take() {
            Some(mut child) => child.stop(StopPolicy::Kill).await.map(drop),
            None => Ok(()),
        }
    }
}
