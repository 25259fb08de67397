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

use super::{
    Lease, Process, RUN_VARIABLE, Readiness, Service, ServiceError, ServiceStarted, ServiceStopped,
    child::until,
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
}

/// Runs services: starts them by dependency, proves them ready, watches them, stops them.
///
/// It does nothing by itself: time passes for it only while one of its async methods runs. Each of
/// them may be cancelled and followed by another. Dropping it kills everything.
pub struct Supervisor {
    machine: Machine,
    units: Vec<Unit>,
    run_id: String,
    lease: Lease,
    started: Vec<ServiceStarted>,
    stopped: Vec<ServiceStopped>,
    failure: Option<ServiceError>,
}

impl Supervisor {
    /// Takes services, each listed after those it depends on, and the lease that their processes
    /// are entered in. `run_id` marks the processes.
    ///
    /// # Errors
    ///
    /// When a service depends on one that is not listed before it.
    pub fn new(
        services: Vec<Box<dyn Service>>,
        run_id: &str,
        lease: Lease,
    ) -> anyhow::Result<Self> {
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
            });
            indices.insert(service.name().to_owned(), index);
        }
        Ok(Self {
            machine: Machine::new(members, u64::from(std::process::id())),
            units: services.into_iter().map(Unit::new).collect(),
            run_id: run_id.to_owned(),
            lease,
            started: Vec::new(),
            stopped: Vec::new(),
            failure: None,
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
        let spec = unit.service.command()?.env(RUN_VARIABLE, &self.run_id);
        unit.log = spec.log().to_owned();
        let process = Process::spawn(&spec)?;
        if let Some(identity) = process.identity() {
            self.lease.add(unit.service.name(), identity)?;
        }
        unit.process = Some(process);
        Ok(())
    }

    fn reaped(&mut self, index: usize) {
        let unit = &mut self.units[index];
        unit.probe = None;
        if let Some(identity) = unit.process.take().and_then(|process| process.identity()) {
            // A line too many in the lease does no harm: it names a process that is gone.
            let _ = self.lease.remove(identity);
        }
    }

    fn note(&mut self, index: usize, report: Report) {
        let unit = &self.units[index];
        let name = unit.service.name().to_owned();
        match report {
            Report::Ready(after) => self.started.push(ServiceStarted {
                name,
                pid: unit.process.as_ref().map_or(0, Process::pid),
                ms: after.as_millis() as u64,
                address: unit.service.address(),
                log: unit.log.clone(),
            }),
            // The failures after the first are its consequences.
            Report::Failed(failure) if self.failure.is_none() => {
                self.failure = Some(ServiceError::new(&name, failure, &unit.log));
            }
            Report::Failed(_) => {}
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
