//! One process from start to end, as a pure state machine: events in, actions out, no I/O.
//!
//! ```text
//! Idle -> Spawning -> Starting -> Ready -> Stopping -> Killing -> Gone
//!            ^                      |  dead or unhealthy, with a restart policy
//!         Waiting <- Replacing <----+
//! ```

mod event;
mod health;
mod recover;
mod restart;
mod state;

use std::{
    process::ExitStatus,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{Failure, StopPolicy, backoff::Backoff};

use health::Health;
use restart::Restarts;
use state::State;

pub use event::{Action, Event, Readiness, Report, Stopped};
pub use health::HealthPolicy;
pub use restart::RestartPolicy;
pub use state::Phase;

/// How long SIGKILL may take before the process counts as stuck in the kernel.
pub const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How often a process is started again when it says that its start had bad luck.
const STARTS: u32 = 4;

/// The state of one process.
#[derive(Debug)]
pub struct Lifecycle {
    state: State,
    ready_within: Duration,
    backoff: Backoff,
    seed: u64,
    starts: u32,
    was_ready: bool,
    restarts: Option<Restarts>,
    health: Option<HealthPolicy>,
}

impl Lifecycle {
    /// A process that is not started and has `ready_within` to become ready; `seed` draws the waits
    /// between probes.
    pub fn new(ready_within: Duration, seed: u64) -> Self {
        Self {
            state: State::Idle,
            ready_within,
            backoff: Backoff::new(seed),
            seed,
            starts: 0,
            was_ready: false,
            restarts: None,
            health: None,
        }
    }

    /// Starts it again when it fails after it was ready.
    pub fn with_restarts(mut self, policy: Option<RestartPolicy>) -> Self {
        self.restarts = policy.map(Restarts::new);
        self
    }

    /// Watches it while it is ready.
    pub fn with_health(mut self, policy: Option<HealthPolicy>) -> Self {
        self.health = policy;
        self
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Idle => Phase::Idle,
            State::Spawning { stop: Some(_), .. } => Phase::Stopping,
            State::Spawning { .. } | State::Starting { .. } if self.was_ready => Phase::Restarting,
            State::Spawning { .. } | State::Starting { .. } => Phase::Starting,
            State::Ready { .. } => Phase::Ready,
            State::Replacing { .. } => Phase::Unhealthy,
            State::Waiting { .. } => Phase::Restarting,
            State::Stopping { .. } | State::Killing { .. } => Phase::Stopping,
            State::Gone => Phase::Gone,
        }
    }

    /// Whether it was not started yet.
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    /// Whether it is over: there is no process, and never will be.
    pub fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// Whether it was asked to end.
    pub fn is_ending(&self) -> bool {
        match &self.state {
            State::Spawning { stop, .. } => stop.is_some(),
            state => matches!(
                state,
                State::Stopping { .. } | State::Killing { .. } | State::Gone
            ),
        }
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Starting { since, look_at, .. } => {
                let limit = *since + self.ready_within;
                Some(look_at.map_or(limit, |at| at.min(limit)))
            }
            State::Stopping { kill_at, .. } => Some(*kill_at),
            State::Killing { give_up_at, .. } => Some(*give_up_at),
            State::Ready { health, .. } => health.as_ref().map(Health::deadline),
            State::Replacing {
                kill_at,
                give_up_at,
                ..
            } => Some(kill_at.unwrap_or(*give_up_at)),
            State::Waiting { until } => Some(*until),
            State::Idle | State::Spawning { .. } | State::Gone => None,
        }
    }

    /// Takes in what happened and says what to do.
    pub fn on_event(&mut self, event: Event, now: Instant) -> Vec<Action> {
        match event {
            Event::Start => self.start(now),
            Event::Spawned => self.spawned(now),
            Event::SpawnFailed(cause) => self.spawn_failed(cause, now),
            Event::Probed(readiness) => self.probed(readiness, now),
            Event::Exited { status, unlucky } => self.exited(status, unlucky, now),
            Event::Retire => self.retire(now),
            Event::Stop(policy) => self.stop(policy, now),
            Event::Kill => self.stop(StopPolicy::Kill, now),
            Event::Tick => self.tick(now),
        }
    }

    fn start(&mut self, now: Instant) -> Vec<Action> {
        if self.state != State::Idle {
            return Vec::new();
        }
        self.spawn(now)
    }

    fn spawn(&mut self, since: Instant) -> Vec<Action> {
        self.starts += 1;
        self.backoff = Backoff::new(self.seed.wrapping_add(u64::from(self.starts)));
        self.state = State::Spawning { since, stop: None };
        vec![Action::Spawn]
    }

    fn spawned(&mut self, now: Instant) -> Vec<Action> {
        let State::Spawning { since, stop } = self.state else {
            return Vec::new();
        };
        match stop {
            Some((policy, asked)) => self.begin_stop(policy, asked, now),
            None => {
                self.state = State::Starting {
                    since,
                    last: "nothing yet".to_owned(),
                    look_at: None,
                };
                vec![Action::Probe]
            }
        }
    }

    fn spawn_failed(&mut self, cause: String, now: Instant) -> Vec<Action> {
        let State::Spawning { stop, .. } = self.state else {
            return Vec::new();
        };
        match stop {
            Some((_, asked)) => {
                self.state = State::Gone;
                vec![stopped(None, false, asked, now)]
            }
            None => self.lost(Failure::Spawn(cause), Duration::ZERO, now),
        }
    }

    fn probed(&mut self, readiness: Readiness, now: Instant) -> Vec<Action> {
        match &mut self.state {
            State::Starting {
                since,
                last,
                look_at: look_at @ None,
            } => match readiness {
                Readiness::Ready => {
                    let after = now.saturating_duration_since(*since);
                    self.ready(after, now)
                }
                Readiness::NotYet(seen) => {
                    *last = seen;
                    *look_at = Some(now + self.backoff.wait());
                    Vec::new()
                }
            },
            State::Ready {
                health: Some(health),
                ..
            } => {
                let finding = health.looked(readiness, now);
                self.found(finding, now)
            }
            _ => Vec::new(),
        }
    }

    fn ready(&mut self, after: Duration, now: Instant) -> Vec<Action> {
        self.was_ready = true;
        self.state = State::Ready {
            since: now,
            health: self.health.map(|policy| Health::new(policy, now)),
        };
        vec![Action::Report(Report::Ready(after))]
    }

    fn exited(&mut self, status: ExitStatus, unlucky: bool, now: Instant) -> Vec<Action> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Starting { since, .. } if unlucky && self.starts < STARTS => self.spawn(since),
            State::Starting { last, .. } => {
                self.lost(Failure::DiedStarting { status, last }, Duration::ZERO, now)
            }
            State::Ready { since, .. } => {
                let ready_for = now.saturating_duration_since(since);
                self.lost(Failure::Died { status }, ready_for, now)
            }
            State::Replacing {
                ready_for, failure, ..
            } => self.lost(failure, ready_for, now),
            State::Stopping { since, .. } => vec![stopped(Some(status), false, since, now)],
            State::Killing { failed: true, .. } => Vec::new(),
            State::Killing { since, forced, .. } => vec![stopped(Some(status), forced, since, now)],
            // There is no process whose end could be reported.
            other
            @ (State::Idle | State::Spawning { .. } | State::Waiting { .. } | State::Gone) => {
                self.state = other;
                Vec::new()
            }
        }
    }

    fn stop(&mut self, policy: StopPolicy, now: Instant) -> Vec<Action> {
        match &mut self.state {
            State::Idle | State::Waiting { .. } => {
                self.state = State::Gone;
                vec![stopped(None, false, now, now)]
            }
            State::Spawning { stop, .. } => {
                let asked = stop.map_or(now, |(_, asked)| asked);
                let policy = if stop.is_some_and(|(policy, _)| policy == StopPolicy::Kill) {
                    StopPolicy::Kill
                } else {
                    policy
                };
                *stop = Some((policy, asked));
                Vec::new()
            }
            State::Starting { .. } | State::Ready { .. } | State::Replacing { .. } => {
                self.begin_stop(policy, now, now)
            }
            State::Stopping { since, .. } if policy == StopPolicy::Kill => {
                let since = *since;
                self.begin_stop(policy, since, now)
            }
            State::Stopping { .. } | State::Killing { .. } | State::Gone => Vec::new(),
        }
    }

    fn begin_stop(&mut self, policy: StopPolicy, since: Instant, now: Instant) -> Vec<Action> {
        match policy {
            StopPolicy::Graceful { grace } => {
                self.state = State::Stopping {
                    since,
                    kill_at: now + grace,
                };
                // A frozen process can only obey once it runs again.
                vec![Action::Signal(Signal::TERM), Action::Signal(Signal::CONT)]
            }
            StopPolicy::Kill => self.kill(since, now, false, false),
        }
    }

    fn kill(&mut self, since: Instant, now: Instant, forced: bool, failed: bool) -> Vec<Action> {
        self.state = State::Killing {
            since,
            give_up_at: now + KILL_LIMIT,
            forced,
            failed,
        };
        vec![Action::Signal(Signal::KILL)]
    }

    fn tick(&mut self, now: Instant) -> Vec<Action> {
        match &mut self.state {
            State::Starting { since, last, .. } if now >= *since + self.ready_within => {
                let since = *since;
                let failure = Failure::NotReady {
                    limit: self.ready_within,
                    last: std::mem::take(last),
                };
                if self.was_ready && self.restarts.is_some() {
                    return self.replace(failure, Duration::ZERO, Duration::ZERO, now);
                }
                let mut actions = vec![failed(failure)];
                actions.extend(self.kill(since, now, false, true));
                actions
            }
            State::Starting { look_at, .. } if look_at.is_some_and(|at| now >= at) => {
                *look_at = None;
                vec![Action::Probe]
            }
            State::Ready {
                health: Some(health),
                ..
            } => {
                let finding = health.tick(now);
                self.found(finding, now)
            }
            State::Replacing {
                kill_at: kill_at @ Some(_),
                give_up_at,
                ..
            } if kill_at.is_some_and(|at| now >= at) => {
                *kill_at = None;
                *give_up_at = now + KILL_LIMIT;
                vec![Action::Signal(Signal::KILL)]
            }
            State::Replacing {
                kill_at: None,
                give_up_at,
                ..
            } if now >= *give_up_at => {
                self.state = State::Gone;
                vec![failed(Failure::Unkillable)]
            }
            State::Waiting { until } if now >= *until => {
                self.starts = 0;
                self.spawn(now)
            }
            State::Stopping { since, kill_at } if now >= *kill_at => {
                let since = *since;
                self.kill(since, now, true, false)
            }
            State::Killing { give_up_at, .. } if now >= *give_up_at => {
                self.state = State::Gone;
                vec![failed(Failure::Unkillable)]
            }
            _ => Vec::new(),
        }
    }
}

fn failed(failure: Failure) -> Action {
    Action::Report(Report::Failed(failure))
}

fn stopped(status: Option<ExitStatus>, forced: bool, since: Instant, now: Instant) -> Action {
    Action::Report(Report::Stopped(Stopped {
        status,
        forced,
        took: now.saturating_duration_since(since),
    }))
}

#[cfg(test)]
mod tests;
