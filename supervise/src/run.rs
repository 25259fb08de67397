//! A set of services: the thin shell around [`Machine`] and the [`Process`]es.

use std::{
    collections::HashMap,
    process::ExitStatus,
    task::{Context, Poll},
    time::Instant,
};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use futures_util::future::LocalBoxFuture;

use crate::{
    Lease, Process, Readiness, Service, ServiceError, ServiceStarted, ServiceState, ServiceStopped,
    child::until,
    leftovers::Mark,
    lifecycle,
    lifecycle::Report,
    log_tail,
    machine::{Action, Event, Machine, Member},
};

/// What the supervisor holds for one service.
struct Unit {
    service: Box<dyn Service>,
    log: Utf8PathBuf,
    process: Option<Process>,
    probe: Option<LocalBoxFuture<'static, Readiness>>,
    restarts: u32,
    last_failure: Option<String>,
    failed: bool,
}

/// Runs services: starts them by dependency, proves them ready, watches them, stops them.
///
/// It does nothing by itself: time passes for it only while one of its async methods runs. Each of
/// them may be cancelled and followed by another. Dropping it kills everything.
pub struct Supervisor {
    machine: Machine,
    units: Vec<Unit>,
    mark: Mark,
    lease: Lease,
    started: Vec<ServiceStarted>,
    stopped: Vec<ServiceStopped>,
    failure: Option<ServiceError>,
    changed: bool,
}

impl Supervisor {
    /// Takes services, each listed after those it depends on, and the lease that their processes
    /// are entered in. All of them carry `mark`.
    ///
    /// # Errors
    ///
    /// When a service depends on one that is not listed before it.
    pub fn new(services: Vec<Box<dyn Service>>, mark: Mark, lease: Lease) -> anyhow::Result<Self> {
        let mut indices = HashMap::new();
        let mut members = Vec::new();
        for (index, service) in services.iter().enumerate() {
            let find = |name: &&str| {
                indices.get(*name).copied().with_context(|| {
                    format!(
                        "{} depends on {name}, which is not listed before it",
                        service.name()
                    )
                })
            };
            members.push(Member {
                depends_on: service
                    .depends_on()
                    .iter()
                    .map(find)
                    .collect::<anyhow::Result<_>>()?,
                stop: service.stop_policy(),
                ready_within: service.ready_within(),
                restart: service.restart_policy(),
                health: service.health_policy(),
            });
            indices.insert(service.name().to_owned(), index);
        }
        Ok(Self {
            machine: Machine::new(members, u64::from(std::process::id())),
            units: services.into_iter().map(Unit::new).collect(),
            mark,
            lease,
            started: Vec::new(),
            stopped: Vec::new(),
            failure: None,
            changed: false,
        })
    }

    /// Starts everything and returns once all of it is ready, with the times.
    ///
    /// # Errors
    ///
    /// The first failure, after everything else was stopped.
    pub async fn up(&mut self) -> Result<Vec<ServiceStarted>, ServiceError> {
        self.apply(Event::Start);
        while !self.machine.all_ready() {
            if let Some(error) = self.failure_after_stop().await {
                return Err(error);
            }
            self.step().await;
        }
        Ok(self.started.clone())
    }

    /// Waits until a service fails, for ever if none does; everything else is stopped before it
    /// returns.
    pub async fn failed(&mut self) -> ServiceError {
        loop {
            if let Some(error) = self.failure_after_stop().await {
                return error;
            }
            self.step().await;
        }
    }

    /// Starts everything, without waiting for it; [`changed`](Self::changed) does.
    pub fn start(&mut self) {
        self.apply(Event::Start);
    }

    /// Waits until something about a service changes, for ever if nothing does.
    pub async fn changed(&mut self) {
        while !std::mem::take(&mut self.changed) {
            self.step().await;
        }
    }

    /// Whether everything is ready.
    pub fn all_ready(&self) -> bool {
        self.machine.all_ready()
    }

    /// The first failure that ended a service for good.
    pub fn failure(&self) -> Option<&ServiceError> {
        self.failure.as_ref()
    }

    /// How each service stands.
    pub fn states(&self) -> Vec<ServiceState> {
        let state = |(index, unit): (usize, &Unit)| ServiceState {
            name: unit.service.name().to_owned(),
            phase: self.machine.phase(index),
            process: unit.process.as_ref().and_then(Process::identity),
            restarts: unit.restarts,
            last_failure: unit.last_failure.clone(),
            failed: unit.failed,
        };
        self.units.iter().enumerate().map(state).collect()
    }

    /// Stops everything, dependents first, and says how that went for each process that was started.
    pub async fn down(&mut self) -> Vec<ServiceStopped> {
        self.apply(Event::Stop);
        self.gone().await;
        std::mem::take(&mut self.stopped)
    }

    /// Kills everything at once.
    pub async fn kill(&mut self) {
        self.apply(Event::Kill);
        self.gone().await;
    }

    /// What is, or was, ready.
    pub fn started(&self) -> &[ServiceStarted] {
        &self.started
    }

    /// Gives the lease back; call it when nothing is left.
    pub fn give_back_lease(self) -> anyhow::Result<()> {
        self.lease.give_back()
    }

    async fn gone(&mut self) {
        while !self.machine.all_gone() {
            self.step().await;
        }
    }

    async fn failure_after_stop(&mut self) -> Option<ServiceError> {
        if self.failure.is_some() {
            self.gone().await;
        }
        self.failure.clone()
    }

    /// Waits for the next thing to happen and deals with it.
    async fn step(&mut self) {
        let deadline = self.machine.deadline();
        let units = &mut self.units;
        let event = tokio::select! {
            biased;
            event = std::future::poll_fn(|context| poll_units(units, context)) => event,
            () = until(deadline) => Event::Tick,
        };
        self.apply(event);
    }

    fn apply(&mut self, event: Event) {
        if let Event::Service(index, lifecycle::Event::Exited { .. }) = event {
            self.reaped(index);
        }
        // Performing an action may bring about the next event at once; the machine never asks for
        // the same thing twice, so this ends.
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for action in self.machine.on_event(event, Instant::now()) {
                if let Action::Service(index, action) = action {
                    events.extend(self.perform(index, action));
                }
            }
        }
    }

    fn perform(&mut self, index: usize, action: lifecycle::Action) -> Option<Event> {
        let unit = &mut self.units[index];
        match action {
            lifecycle::Action::Spawn => {
                let event = match self.spawn(index) {
                    Ok(()) => lifecycle::Event::Spawned,
                    Err(error) => lifecycle::Event::SpawnFailed(format!("{error:#}")),
                };
                return Some(Event::Service(index, event));
            }
            lifecycle::Action::Probe => unit.probe = Some(unit.service.probe()),
            lifecycle::Action::CheckHealth => unit.probe = Some(unit.service.health()),
            lifecycle::Action::Signal(signal) => {
                unit.probe = None;
                if let Some(process) = &unit.process {
                    process.signal(signal);
                }
            }
            lifecycle::Action::Report(report) => self.note(index, report),
        }
        None
    }

    fn spawn(&mut self, index: usize) -> anyhow::Result<()> {
        let unit = &mut self.units[index];
        let spec = unit
            .service
            .command()?
            .env(self.mark.variable, &self.mark.owner);
        unit.log = spec.log().to_owned();
        let process = Process::spawn(&spec)?;
        if let Some(identity) = process.identity() {
            self.lease.add(unit.service.name(), identity)?;
        }
        unit.process = Some(process);
        self.changed = true;
        Ok(())
    }

    fn reaped(&mut self, index: usize) {
        let unit = &mut self.units[index];
        unit.probe = None;
        if let Some(identity) = unit.process.take().and_then(|process| process.identity()) {
            // A line too many in the lease does no harm: it names a process that is gone.
            let _ = self.lease.remove(identity);
        }
        self.changed = true;
    }

    fn note(&mut self, index: usize, report: Report) {
        self.changed = true;
        let unit = &mut self.units[index];
        let name = unit.service.name().to_owned();
        match report {
            Report::Ready(after) => self.started.push(ServiceStarted {
                name,
                pid: unit.process.as_ref().map_or(0, Process::pid),
                ms: after.as_millis() as u64,
                address: unit.service.address(),
                log: unit.log.clone(),
            }),
            Report::Unhealthy(failure) => unit.last_failure = Some(failure.to_string()),
            Report::Restarting { failure, .. } => {
                unit.last_failure = Some(failure.to_string());
                unit.restarts += 1;
            }
            Report::Failed(failure) => {
                unit.last_failure = Some(failure.to_string());
                unit.failed = true;
                // The failures after the first are its consequences.
                let error = || ServiceError::new(&name, failure, &unit.log);
                self.failure.get_or_insert_with(error);
            }
            Report::Stopped(stopped) if stopped.status.is_some() => {
                self.stopped.push(ServiceStopped { name, stopped })
            }
            Report::Stopped(_) => {}
        }
    }
}

impl Unit {
    fn new(service: Box<dyn Service>) -> Self {
        Self {
            service,
            log: Utf8PathBuf::new(),
            process: None,
            probe: None,
            restarts: 0,
            last_failure: None,
            failed: false,
        }
    }

    fn exited(&self, status: ExitStatus) -> lifecycle::Event {
        // More than an error shows: bad luck may be told a few lines before the end.
        let unlucky = self.service.was_unlucky(&log_tail(&self.log, 50));
        lifecycle::Event::Exited { status, unlucky }
    }
}

fn poll_units(units: &mut [Unit], context: &mut Context<'_>) -> Poll<Event> {
    for (index, unit) in units.iter_mut().enumerate() {
        if let Some(process) = &mut unit.process
            && let Poll::Ready(status) = process.poll_ended(context)
        {
            return Poll::Ready(Event::Service(index, unit.exited(status)));
        }
        if let Some(probe) = &mut unit.probe
            && let Poll::Ready(readiness) = probe.as_mut().poll(context)
        {
            unit.probe = None;
            // Whoever answered may not have been our process.
            let ended = unit.process.as_mut().and_then(Process::try_ended);
            let event = ended.map_or_else(
                || lifecycle::Event::Probed(readiness),
                |status| unit.exited(status),
            );
            return Poll::Ready(Event::Service(index, event));
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests;
