//! Where a process stands.

use std::time::{Duration, Instant};

use super::{StopPolicy, health::Health};
use crate::Failure;

/// Where a process stands, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not started yet.
    Idle,
    /// Started for the first time, and not ready.
    Starting,
    /// Ready.
    Ready,
    /// It does not work any more and is being ended, to be started again.
    Unhealthy,
    /// It failed and is started again, now or after a wait.
    Restarting,
    /// It was asked to end.
    Stopping,
    /// There is no process, and never will be.
    Gone,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Idle,
    Spawning {
        since: Instant,
        stop: Option<(StopPolicy, Instant)>,
    },
    Starting {
        since: Instant,
        last: String,
        look_at: Option<Instant>,
    },
    Ready {
        since: Instant,
        health: Option<Health>,
    },
    Replacing {
        ready_for: Duration,
        failure: Failure,
        /// Nothing once it was killed.
        kill_at: Option<Instant>,
        give_up_at: Instant,
    },
    Waiting {
        until: Instant,
    },
    Stopping {
        since: Instant,
        kill_at: Instant,
    },
    Killing {
        since: Instant,
        give_up_at: Instant,
        forced: bool,
        failed: bool,
    },
    Gone,
}
