//! What follows when a process fails: another start, or the end.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{
    Action, KILL_LIMIT, Lifecycle, Report, failed, health::Finding, state::State, stopped,
};
use crate::Failure;

/// How long an unhealthy process has to end before it is killed.
const GRACE: Duration = Duration::from_secs(2);

impl Lifecycle {
    /// Does what the watch over a ready process asks for.
    pub(super) fn found(&mut self, finding: Finding, now: Instant) -> Vec<Action> {
        match (finding, &self.state) {
            (Finding::LookNow, _) => vec![Action::CheckHealth],
            (Finding::Unhealthy(last), State::Ready { since, .. }) => {
                let failure = Failure::Unhealthy { last };
                let ready_for = now.saturating_duration_since(*since);
                let mut actions = vec![Action::Report(Report::Unhealthy(failure.clone()))];
                actions.extend(self.replace(failure, ready_for, GRACE, now));
                actions
            }
            _ => Vec::new(),
        }
    }

    /// Ends a process that failed and still runs; what comes next is decided once it is gone.
    pub(super) fn replace(
        &mut self,
        failure: Failure,
        ready_for: Duration,
        grace: Duration,
        now: Instant,
    ) -> Vec<Action> {
        let at_once = grace.is_zero();
        self.state = State::Replacing {
            ready_for,
            failure,
            kill_at: (!at_once).then_some(now + grace),
            give_up_at: now + grace + KILL_LIMIT,
        };
        match at_once {
            true => vec![Action::Signal(Signal::KILL)],
            // A frozen process can only obey once it runs again.
            false => vec![Action::Signal(Signal::TERM), Action::Signal(Signal::CONT)],
        }
    }

    /// There is no process any more, because of `failure`: another start after a wait, or the end.
    pub(super) fn lost(
        &mut self,
        failure: Failure,
        ready_for: Duration,
        now: Instant,
    ) -> Vec<Action> {
        let restarts = self.restarts.as_mut().filter(|_| self.was_ready);
        match restarts.and_then(|restarts| restarts.next(ready_for)) {
            Some(wait) => {
                self.state = State::Waiting { until: now + wait };
                vec![Action::Report(Report::Restarting { failure, wait })]
            }
            None => {
                self.state = State::Gone;
                vec![failed(failure)]
            }
        }
    }

    /// Ends the watch and all thought of another start.
    pub(super) fn retire(&mut self, now: Instant) -> Vec<Action> {
        self.restarts = None;
        self.health = None;
        match &mut self.state {
            State::Ready { health, .. } => *health = None,
            State::Waiting { .. } => {
                self.state = State::Gone;
                return vec![stopped(None, false, now, now)];
            }
            _ => {}
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
