//! A Temporal that belongs to one environment, for tests that kill it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_temporal::Target;

use super::settings::Variables;
use crate::{
    containers::{Launch, Place},
    harness::faults,
    services::{Doorway, Temporal as Service, temporal_answers},
    supervise::{Child, Readiness, ServiceError, Signal, StopPolicy},
};

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// A dev server with its state in a file, so that it is all there after a crash.
#[derive(Debug)]
pub struct OwnTemporal {
    cli: Utf8PathBuf,
    doorway: Doorway,
    folder: Utf8PathBuf,
    variables: Variables,
    starts: AtomicUsize,
    child: tokio::sync::Mutex<Option<Child>>,
}

impl OwnTemporal {
    /// One that will run at `place` on a free port, by the Temporal CLI `cli`, with its files in `folder`.
    pub(super) fn new(
        cli: &Utf8Path,
        place: Place,
        folder: &Utf8Path,
        variables: Variables,
    ) -> std::io::Result<Self> {
        Ok(Self {
            cli: cli.to_owned(),
            doorway: Doorway::to(place)?,
            folder: folder.to_owned(),
            variables,
            starts: AtomicUsize::new(0),
            child: tokio::sync::Mutex::default(),
        })
    }

    /// Where it is found, `host:port`.
    pub fn address(&self) -> String {
        self.doorway.address().to_owned()
    }

    /// Its log.
    pub(in crate::harness) fn log(&self) -> Utf8PathBuf {
        self.folder.join("own-temporal.log")
    }

    /// Starts it, also again after [`kill9`](Self::kill9): on the same port, with what it had stored.
    ///
    /// # Errors
    ///
    /// When it does not answer in time.
    pub async fn start(&self) -> Result<(), ServiceError> {
        let database = self.folder.join("own-temporal.db").into_string();
        let mut arguments = Service::arguments(self.doorway.listens());
        arguments.extend(["--db-filename".to_owned(), database]);
        let launch = Launch {
            name: Service::NAME,
            program: &self.cli,
            arguments,
            variables: self.variables.clone(),
            log: &self.log(),
        };
        let start = self.starts.fetch_add(1, Ordering::Relaxed);
        if start > 0 {
            faults::note("Temporal is started again");
        }
        let spec = self.doorway.place().spec(launch, start).ready_within(START);
        let mut slot = self.child.lock().await;
        let child = slot.insert(Child::spawn(spec)?);
        let target = Target::plain(self.address(), "default");
        let look = async || match temporal_answers(&target).await {
            Ok(()) => Readiness::Ready,
            Err(error) => Readiness::NotYet(format!("{error:#}")),
        };
        child.wait_ready(look).await.map(drop)
    }

    /// Stops its execution without ending it: connections stay open, nothing is answered.
    pub async fn freeze(&self) {
        faults::note("Temporal is frozen");
        self.signal(Signal::STOP).await;
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub async fn thaw(&self) {
        faults::note("Temporal goes on");
        self.signal(Signal::CONT).await;
    }

    async fn signal(&self, signal: Signal) {
        if let Some(child) = self.child.lock().await.as_ref() {
            child.signal(signal);
        }
    }

    /// Ends it with SIGKILL, as a crash would.
    ///
    /// # Errors
    ///
    /// When not even that ends it.
    pub async fn kill9(&self) -> Result<(), ServiceError> {
        faults::note("Temporal is killed");
        match self.child.lock().await.take() {
            Some(mut child) => child.stop(StopPolicy::Kill).await.map(drop),
            None => Ok(()),
        }
    }
}
