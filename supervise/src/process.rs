//! The operating system's side of a process: a group of its own, which dies with its owner.

use std::{
    io,
    process::{Child, ChildStderr, ChildStdout, ExitStatus},
    sync::Arc,
    task::{Context, Poll, ready},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::retry_on_intr,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};
use tokio::sync::oneshot;

use crate::{Identity, Relay, SpawnError, Spec, lifecycle::KILL_LIMIT, spawn::spawn};

/// A running process that leads a process group. Dropping it kills the group.
///
/// No signal ever goes to a stranger: the leader is reaped only after the rest of its group was
/// killed, and until it is reaped the system gives its number to nobody else.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Pid,
    identity: Option<Identity>,
    ended: oneshot::Receiver<()>,
    status: Option<ExitStatus>,
    relay: Option<Arc<dyn Relay>>,
}

impl Process {
    /// Starts what `spec` describes.
    pub fn spawn(spec: &Spec) -> Result<Self, SpawnError> {
        let mut child = spawn(spec)?;
        // A pid is a positive number that fits.
        let group = Pid::from_child(&child);
        match watch(group) {
            Ok(ended) => Ok(Self {
                identity: Identity::of(child.id()),
                child,
                group,
                ended,
                status: None,
                relay: spec.relay.clone(),
            }),
            Err(error) => {
                end_group(group, &mut child);
                Err(SpawnError::Watch(error))
            }
        }
    }

    /// Its pid, which is also the number of its group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Pid and start time; nothing on a system without `/proc`, or when it ended at once.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// The read end of its stdout, once, if [`Spec::pipe_stdout`] was asked for.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The read end of its stderr, once, if [`Spec::pipe_stderr`] was asked for.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Sends `signal` to its group, or to what it is the client of; nothing happens once it has ended.
    pub fn signal(&self, signal: Signal) {
        let relayed = || {
            self.relay
                .as_ref()
                .is_some_and(|relay| relay.signal(signal))
        };
        if self.status.is_none() && !relayed() {
            // The unreaped leader keeps the group alive, so the only failure is one of permission,
            // and that only for a program that changed its user; it is found as a leftover.
            let _ = kill_process_group(self.group, signal);
        }
    }

    /// How it ended, if it has. Also ends the rest of its group then.
    pub fn try_ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() && has_ended(self.group) {
            self.status = Some(end_group(self.group, &mut self.child));
        }
        self.status
    }

    /// Waits for its end and says how it ended; the rest of its group is ended as well. May be
    /// cancelled and called again.
    pub async fn ended(&mut self) -> ExitStatus {
        std::future::poll_fn(|context| self.poll_ended(context)).await
    }

    /// The poll form of [`Process::ended`].
    pub fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<ExitStatus> {
        if let Some(status) = self.status {
            return Poll::Ready(status);
        }
        // The sender is dropped only after waiting failed, which means that there is no such child
        // any more; reaping says the rest.
        let _ = ready!(std::pin::Pin::new(&mut self.ended).poll(context));
        let status = end_group(self.group, &mut self.child);
        self.status = Some(status);
        Poll::Ready(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // Bounded: a process that hangs in the kernel does not end, and must not hang its owner.
        let give_up_at = Instant::now() + KILL_LIMIT;
        while self.try_ended().is_none() && Instant::now() < give_up_at {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Kills what is left of the group and reaps the leader, in this order.
fn end_group(group: Pid, child: &mut Child) -> ExitStatus {
    // ESRCH cannot happen before the leader is reaped, and EPERM is explained above.
    let _ = kill_process_group(group, Signal::KILL);
    // Closing stdin first: std would do the same, but not before a wait that fails.
    drop(child.stdin.take());
    child
        .wait()
        .expect("a child that was not reaped can be waited for")
}

fn has_ended(leader: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    matches!(waitid(WaitId::Pid(leader), options), Ok(Some(_)))
}

/// A thread that waits for the end of `leader` without reaping it. (A pidfd would do without a
/// thread, but only on Linux.)
fn watch(leader: Pid) -> io::Result<oneshot::Receiver<()>> {
    let (sender, ended) = oneshot::channel();
    thread::Builder::new()
        .name(format!("watch-{}", leader.as_raw_nonzero()))
        .spawn(move || {
            let _ = retry_on_intr(|| {
                waitid(
                    WaitId::Pid(leader),
                    WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
                )
            });
            // Nobody listens any more when the process was dropped.
            let _ = sender.send(());
        })?;
    Ok(ended)
}

#[cfg(test)]
mod tests;
