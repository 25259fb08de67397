//! One supervised process: the thin shell around [`Lifecycle`] and [`Process`].

use std::{
    future::Future,
    pin::Pin,
    process::{ChildStdout, ExitStatus},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    Failure, Identity, Process, Readiness, ServiceError, Signal, Spec, StopPolicy, Stopped,
    lifecycle::{Action, Event, Lifecycle, Report},
};

/// A process that is proven ready, watched, and stopped. Dropping it kills its process group.
#[derive(Debug)]
pub struct Child {
    name: String,
    log: Utf8PathBuf,
    process: Process,
    lifecycle: Lifecycle,
    probe_wanted: bool,
}

impl Child {
    /// Starts what `spec` describes. Blocks for the milliseconds that fork and exec take.
    ///
    /// # Errors
    ///
    /// [`Failure::Spawn`] when the program or the log file cannot be used.
    pub fn spawn(spec: Spec) -> Result<Self, ServiceError> {
        let process = Process::spawn(&spec).map_err(|error| {
            ServiceError::new(&spec.name, Failure::Spawn(error.to_string()), &spec.log)
        })?;
        let now = Instant::now();
        let mut lifecycle = Lifecycle::new(spec.ready_within, u64::from(process.pid()));
        lifecycle.on_event(Event::Start, now);
        lifecycle.on_event(Event::Spawned, now);
        Ok(Self {
            name: spec.name,
            log: spec.log,
            process,
            lifecycle,
            probe_wanted: true,
        })
    }

    /// Probes until it is ready, waiting from 5 up to 250 ms in between, and returns how long that
    /// took since the start. `probe` should come back within seconds, saying what it saw.
    ///
    /// # Errors
    ///
    /// As soon as the process dies, or when [`Spec::ready_within`] is over (it is killed then). The
    /// error carries what the last probe saw and the end of the log.
    pub async fn wait_ready<P, F>(&mut self, mut probe: P) -> Result<Duration, ServiceError>
    where
        P: FnMut() -> F,
        F: Future<Output = Readiness>,
    {
        let mut look: Option<Pin<Box<F>>> = None;
        loop {
            if std::mem::take(&mut self.probe_wanted) {
                look = Some(Box::pin(probe()));
            }
            let event = tokio::select! {
                biased;
                status = self.process.ended() => Event::Exited { status, unlucky: false },
                readiness = wait_for(look.as_mut()) => {
                    look = None;
                    // Whoever answered may not have been our process.
                    match self.process.try_ended() {
                        Some(status) => Event::Exited { status, unlucky: false },
                        None => Event::Probed(readiness),
                    }
                }
                () = until(self.lifecycle.deadline()) => Event::Tick,
            };
            match self.take(event) {
                Some(Report::Ready(after)) => return Ok(after),
                Some(Report::Failed(failure)) => {
                    let error = ServiceError::new(&self.name, failure, &self.log);
                    self.process.signal(Signal::KILL);
                    return Err(error);
                }
                _ => {}
            }
        }
    }

    /// Ends it: asks its process group as `policy` says, waits, kills if need be, and reaps it. A
    /// process that has ended already counts as stopped.
    ///
    /// # Errors
    ///
    /// [`Failure::Unkillable`] when not even SIGKILL ends it within five seconds.
    pub async fn stop(&mut self, policy: StopPolicy) -> Result<Stopped, ServiceError> {
        if let Some(status) = self.process.try_ended() {
            return Ok(Stopped {
                status: Some(status),
                forced: false,
                took: Duration::ZERO,
            });
        }
        let mut report = self.take(Event::Stop(policy));
        loop {
            match report {
                Some(Report::Stopped(stopped)) => return Ok(stopped),
                Some(Report::Failed(failure)) => {
                    return Err(ServiceError::new(&self.name, failure, &self.log));
                }
                _ => {}
            }
            let event = tokio::select! {
                biased;
                status = self.process.ended() => Event::Exited { status, unlucky: false },
                () = until(self.lifecycle.deadline()) => Event::Tick,
            };
            report = self.take(event);
        }
    }

    /// Waits for its end, whoever causes it. May be cancelled and called again.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.ended().await
    }

    /// How it ended, if it has.
    pub fn try_ended(&mut self) -> Option<ExitStatus> {
        self.process.try_ended()
    }

    /// Sends `signal` to its process group (such as KILL to see what a crash does, STOP to freeze
    /// it, CONT to let it go on).
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// The read end of its stdout, once, if [`Spec::pipe_stdout`] was asked for.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.process.take_stdout()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Pid and start time.
    pub fn identity(&self) -> Option<Identity> {
        self.process.identity()
    }

    /// Its log file.
    pub fn log(&self) -> &Utf8Path {
        &self.log
    }

    /// Feeds the lifecycle, does what it asks for, and returns what it reports.
    fn take(&mut self, event: Event) -> Option<Report> {
        let mut report = None;
        for action in self.lifecycle.on_event(event, Instant::now()) {
            match action {
                Action::Probe => self.probe_wanted = true,
                Action::Signal(signal) => self.process.signal(signal),
                Action::Report(r) => report = Some(r),
                // It was spawned before its lifecycle began, is never called unlucky, and has no
                // policies.
                Action::Spawn | Action::CheckHealth => unreachable!("a child is started once"),
            }
        }
        report
    }
}

async fn wait_for<F: Future>(future: Option<&mut Pin<Box<F>>>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// Sleeps until `deadline`, for ever without one.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
