//! One process of an environment: started until it proves ready, faulted on purpose, stopped.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    process::ExitStatus,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::ContainerPart;
use stigmer_process::Ready;

use super::{ready, settings::Variables};
use crate::{
    containers::{Launch, Place},
    harness::{Broken, budget, faults},
    supervise::{Child, Readiness, ServiceError, Signal, StopPolicy, Stopped},
};

/// Which process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// `stigmer-server`.
    Server,
    /// `stigmer-workflow-runner`.
    WorkflowRunner,
    /// `stigmer-agent-runner`.
    AgentRunner,
}

impl From<Component> for ContainerPart {
    fn from(component: Component) -> Self {
        match component {
            Component::Server => Self::Server,
            Component::WorkflowRunner => Self::WorkflowRunner,
            Component::AgentRunner => Self::AgentRunner,
        }
    }
}

impl Component {
    /// Its name in ready files and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "stigmer-server",
            Self::WorkflowRunner => "stigmer-workflow-runner",
            Self::AgentRunner => "stigmer-agent-runner",
        }
    }
}

/// A process of an environment. It can be down, between a fault and a restart.
#[derive(Debug)]
pub struct Part {
    component: Component,
    /// Which one of several, from 1.
    number: u16,
    program: Utf8PathBuf,
    place: Place,
    log: Utf8PathBuf,
    ready_file: Utf8PathBuf,
    /// Whether readiness includes a working Temporal.
    with_temporal: bool,
    settings: Mutex<Variables>,
    starts: AtomicUsize,
    ready: Mutex<Option<Ready>>,
    pid: AtomicU32,
    child: tokio::sync::Mutex<Option<Child>>,
}

impl Part {
    pub(super) fn new(
        component: Component,
        number: u16,
        program: &Utf8Path,
        place: Place,
        folder: &Utf8Path,
        with_temporal: bool,
    ) -> Self {
        let name = numbered(component, number);
        Self {
            component,
            number,
            program: program.to_owned(),
            place,
            log: folder.join(format!("{name}.log")),
            ready_file: folder.join(format!("{name}.ready.json")),
            with_temporal,
            settings: Mutex::default(),
            starts: AtomicUsize::new(0),
            ready: Mutex::default(),
            pid: AtomicU32::new(0),
            child: tokio::sync::Mutex::default(),
        }
    }

    /// Where it is to listen, if it listens.
    pub(super) fn socket(&self) -> io::Result<SocketAddr> {
        self.place.socket()
    }

    /// Starts it with `settings` and waits until it does its work.
    pub(super) async fn start(&self, settings: Variables) -> Result<Ready, ServiceError> {
        self.launch(settings).await?;
        self.until_ready().await
    }

    /// Begins to start it with `settings`.
    pub(super) async fn launch(&self, settings: Variables) -> Result<(), ServiceError> {
        *lock(&self.settings) = settings;
        self.spawn().await
    }

    /// Starts it as before, after a fault or a stop. The server keeps its port.
    ///
    /// # Errors
    ///
    /// When it does not become ready.
    pub async fn start_again(&self) -> Result<Ready, ServiceError> {
        self.note("is started again");
        self.spawn().await?;
        self.until_ready().await
    }

    async fn spawn(&self) -> Result<(), ServiceError> {
        // An old ready file must not be taken for a new one.
        let _ = fs::remove_file(&self.ready_file);
        let mut variables = lock(&self.settings).clone();
        variables.push(("STIGMER_READY_FILE".to_owned(), self.ready_file.to_string()));
        let launch = Launch {
            name: self.component.name(),
            program: &self.program,
            arguments: Vec::new(),
            variables,
            log: &self.log,
        };
        let start = self.starts.fetch_add(1, Ordering::Relaxed);
        let spec = self.place.spec(launch, start);
        let spec = spec.ready_within(budget::START.limit);
        *self.child.lock().await = Some(Child::spawn(spec)?);
        Ok(())
    }

    /// Waits until it does its work.
    ///
    /// # Errors
    ///
    /// When it ends, or does not become ready in time.
    ///
    /// # Panics
    ///
    /// When it was stopped.
    pub async fn until_ready(&self) -> Result<Ready, ServiceError> {
        let mut slot = self.child.lock().await;
        let child = slot.as_mut().expect("only what runs is waited for");
        let pid = child.pid();
        child.wait_ready(|| self.look(pid)).await?;
        lock(&self.ready)
            .clone()
            .ok_or_else(|| unreachable!("the probe keeps what it read"))
    }

    /// Ends it with SIGKILL, as a crash would.
    pub async fn kill9(&self) -> Result<(), ServiceError> {
        self.note("is killed");
        self.end(StopPolicy::Kill).await.map(drop)
    }

    /// Asks it to end and waits; kills it when it does not. `None` when it is not running.
    ///
    /// # Errors
    ///
    /// When not even SIGKILL ends it.
    pub async fn stop(&self) -> Result<Option<Stopped>, ServiceError> {
        self.until_it_hears().await;
        self.end(StopPolicy::Graceful {
            grace: budget::STOP.limit,
        })
        .await
    }

    /// Waits until it can be asked to end, which it can when it is ready; not for ever.
    async fn until_it_hears(&self) {
        let deadline = Instant::now() + budget::STOP.limit;
        while !self.ready_file.exists() && Instant::now() < deadline {
            let slot = self
                .child
                .lock()
                .await
                .as_mut()
                .map(|child| (child.try_ended(), child.pid()));
            let Some((None, child)) = slot else { return };
            let start = self.starts.load(Ordering::Relaxed) - 1;
            if self.place.hears(Signal::TERM, child, start) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops its execution without ending it: connections stay open, nothing is answered.
    pub async fn freeze(&self) {
        self.note("is frozen");
        self.signal(Signal::STOP).await;
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub async fn thaw(&self) {
        self.note("goes on");
        self.signal(Signal::CONT).await;
    }

    /// Sends `signal` to its process group.
    pub async fn signal(&self, signal: Signal) {
        if let Some(child) = self.child.lock().await.as_ref() {
            child.signal(signal);
        }
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    ///
    /// When it is not running, or does not end within `limit`.
    pub async fn ended_within(&self, limit: Duration) -> Result<ExitStatus, Broken> {
        let mut slot = self.child.lock().await;
        let child = slot
            .as_mut()
            .ok_or_else(|| Broken(format!("{} is not running", self.component.name())))?;
        tokio::time::timeout(limit, child.ended())
            .await
            .map_err(|_| {
                Broken(format!(
                    "{} did not end within {limit:?}",
                    self.component.name()
                ))
            })
    }

    /// Whether it was started, and has not ended since.
    pub(crate) async fn runs(&self) -> bool {
        let mut slot = self.child.lock().await;
        slot.as_mut()
            .is_some_and(|child| child.try_ended().is_none())
    }

    /// How it ended, if it was started and has ended without being asked to.
    pub(crate) async fn died(&self) -> Option<ExitStatus> {
        self.child.lock().await.as_mut()?.try_ended()
    }

    /// What it said about itself when it was ready.
    ///
    /// # Panics
    ///
    /// When it never was; an environment hands out only parts that were.
    pub fn ready(&self) -> Ready {
        lock(&self.ready)
            .clone()
            .expect("a part of a started environment was ready")
    }

    /// Its address, `host:port`.
    ///
    /// # Panics
    ///
    /// When it listens on none.
    pub fn address(&self) -> String {
        self.ready()
            .address
            .expect("a part that listens says where")
    }

    /// Its pid on this machine, which is not what a part in a container says its pid is.
    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// The name of the container that it is in; nothing for a process.
    pub fn container(&self) -> Option<String> {
        let start = self.starts.load(Ordering::Relaxed).checked_sub(1)?;
        self.place.container(start)
    }

    /// The address of the machine or container that it runs on.
    pub fn ip(&self) -> Ipv4Addr {
        self.place.ip()
    }

    /// Where its process says that its program is: not where this machine has it when it is in a
    /// container.
    ///
    /// # Errors
    ///
    /// When there is no such file.
    pub fn executable(&self) -> io::Result<Utf8PathBuf> {
        self.place.executable(&self.program)
    }

    /// What it is called in its environment: as its component, from the second one on with a number.
    pub fn name(&self) -> String {
        numbered(self.component, self.number)
    }

    /// Which one it is.
    pub fn component(&self) -> Component {
        self.component
    }

    /// The file it was started from.
    pub fn program(&self) -> &Utf8Path {
        &self.program
    }

    /// Its log.
    pub fn log(&self) -> &Utf8Path {
        &self.log
    }

    /// How often the test started it again.
    pub(crate) fn restarts(&self) -> usize {
        self.starts.load(Ordering::Relaxed).saturating_sub(1)
    }

    pub(crate) fn was_ready(&self) -> Option<Ready> {
        lock(&self.ready).clone()
    }

    fn note(&self, what: &str) {
        faults::note(format!("{} {what}", self.component.name()));
    }

    async fn end(&self, policy: StopPolicy) -> Result<Option<Stopped>, ServiceError> {
        let mut slot = self.child.lock().await;
        let Some(child) = slot.as_mut() else {
            return Ok(None);
        };
        let stopped = child.stop(policy).await?;
        *slot = None;
        Ok(Some(stopped))
    }

    async fn look(&self, pid: u32) -> Readiness {
        let ready = match ready::read(&self.ready_file) {
            Ok(ready) if ready.pid == self.place.pid_inside(pid) => ready,
            Ok(ready) => {
                return Readiness::NotYet(format!(
                    "a ready file of another process, {}",
                    ready.pid
                ));
            }
            Err(reason) => return Readiness::NotYet(reason),
        };
        if let Some(address) = &ready.address
            && let Err(reason) = ready::serves(address, self.with_temporal).await
        {
            return Readiness::NotYet(reason);
        }
        let start = self.starts.load(Ordering::Relaxed) - 1;
        match self.place.pid(pid, start) {
            Ok(pid) => self.pid.store(pid, Ordering::Relaxed),
            Err(reason) => return Readiness::NotYet(reason),
        }
        *lock(&self.ready) = Some(ready);
        Readiness::Ready
    }
}

/// The name of one of several of `component`.
pub(super) fn numbered(component: Component, number: u16) -> String {
    match number {
        1 => component.name().to_owned(),
        _ => format!("{}-{number}", component.name()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
