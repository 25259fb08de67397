//! What goes into a lifecycle, and what comes out of it.

use std::{process::ExitStatus, time::Duration};

use rustix::process::Signal;

use crate::{Failure, StopPolicy};

/// What a probe saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The service does its work.
    Ready,
    /// It does not yet; the text says what was seen, for the error if it never does.
    NotYet(String),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Start it.
    Start,
    /// [`Action::Spawn`] was performed.
    Spawned,
    /// [`Action::Spawn`] failed.
    SpawnFailed(String),
    /// [`Action::Probe`] or [`Action::CheckHealth`] was performed.
    Probed(Readiness),
    /// The process ended and was reaped.
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// It had bad luck, such as a port taken by somebody else in between; another start may do.
        unlucky: bool,
    },
    /// It is going to be stopped: from now on it is neither watched nor started again.
    Retire,
    /// Stop it.
    Stop(StopPolicy),
    /// Kill it, whatever is going on.
    Kill,
    /// Time has passed, see [`Lifecycle::deadline`].
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Start the process, answer by [`Event::Spawned`] or [`Event::SpawnFailed`].
    Spawn,
    /// Look whether it is ready, answer by [`Event::Probed`].
    Probe,
    /// Look whether it still works, answer by [`Event::Probed`]. Replaces a look that goes on.
    CheckHealth,
    /// Send a signal to its process group.
    Signal(Signal),
    /// Tell the owner.
    Report(Report),
}

/// What the owner should know.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// It is ready, this long after its start.
    Ready(Duration),
    /// It does not work any more and is being ended, to be started again.
    Unhealthy(Failure),
    /// There is no process any more; another start follows after `wait`.
    Restarting {
        /// What went wrong.
        failure: Failure,
        /// The time until then.
        wait: Duration,
    },
    /// It failed for good; if it still runs, it is being killed.
    Failed(Failure),
    /// It was stopped.
    Stopped(Stopped),
}

/// How a stop went.
#[derive(Clone, Debug, PartialEq)]
pub struct Stopped {
    /// How the process ended; nothing when it was never started.
    pub status: Option<ExitStatus>,
    /// It did not end when asked and had to be killed.
    pub forced: bool,
    /// From the request to the end.
    pub took: Duration,
}
