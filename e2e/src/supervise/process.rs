//! The operating system's side of a process: a group of its own, which dies with its owner.

use std::{
    fs::OpenOptions,
    io,
    os::unix::process::CommandExt,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    task::{Context, Poll, ready},
    thread,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use rustix::{
    io::retry_on_intr,
    process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process_group, waitid},
};
use tokio::sync::oneshot;

use super::{Identity, RUN_VARIABLE, Spec, lifecycle::KILL_LIMIT};

/// A process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Its program cannot be run.
    #[error("{program} cannot be run: {source}")]
    Program {
        /// The program.
        program: String,
        /// The reason.
        source: io::Error,
    },
    /// Its log file cannot be written.
    #[error("its log {log} cannot be written: {source}")]
    Log {
        /// The log file.
        log: String,
        /// The reason.
        source: io::Error,
    },
    /// It cannot be watched, so it was killed again.
    #[error("it cannot be watched: {0}")]
    Watch(io::Error),
}

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
}

impl Process {
    /// Starts what `spec` describes.
    pub fn spawn(spec: &Spec) -> Result<Self, SpawnError> {
        let mut child = spawn_on_lasting_thread(command(spec)?)
            .map_err(|source| SpawnError::Program { program: spec.program.to_string(), source })?;
        // A pid is a positive number that fits.
        let group = Pid::from_child(&child);
        match watch(group) {
            Ok(ended) => Ok(Self { identity: Identity::of(child.id()), child, group, ended, status: None }),
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

    /// Sends `signal` to its group; nothing happens once it has ended.
    pub fn signal(&self, signal: Signal) {
        if self.status.is_none() {
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
    child.wait().expect("a child that was not reaped can be waited for")
}

fn has_ended(leader: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    matches!(waitid(WaitId::Pid(leader), options), Ok(Some(_)))
}

/// A thread that waits for the end of `leader` without reaping it. (A pidfd would do without a
/// thread, but only on Linux.)
fn watch(leader: Pid) -> io::Result<oneshot::Receiver<()>> {
    let (sender, ended) = oneshot::channel();
    thread::Builder::new().name(format!("watch-{}", leader.as_raw_nonzero())).spawn(move || {
        let _ = retry_on_intr(|| waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT));
        // Nobody listens any more when the process was dropped.
        let _ = sender.send(());
    })?;
    Ok(ended)
}

fn command(spec: &Spec) -> Result<Command, SpawnError> {
    let log = open_log(&spec.log)?;
    let stdout = if spec.pipe_stdout { Stdio::piped() } else { log_handle(&log, spec)? };
    let mut command = Command::new(&spec.program);
    command.args(&spec.arguments).process_group(0);
    command.stdin(if spec.hold_stdin { Stdio::piped() } else { Stdio::null() });
    let stderr = if spec.pipe_stderr { Stdio::piped() } else { log_handle(&log, spec)? };
    command.stdout(stdout).stderr(stderr);
    if spec.clear_environment {
        command.env_clear();
        if let Some(run) = std::env::var_os(RUN_VARIABLE) {
            command.env(RUN_VARIABLE, run);
        }
    }
    for (variable, value) in &spec.environment {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    if let Some(directory) = &spec.directory {
        command.current_dir(directory);
    }
    die_with_parent(&mut command);
    Ok(command)
}

fn open_log(log: &Utf8Path) -> Result<std::fs::File, SpawnError> {
    let open = || {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        OpenOptions::new().create(true).append(true).open(log)
    };
    open().map_err(|source| SpawnError::Log { log: log.to_string(), source })
}

fn log_handle(log: &std::fs::File, spec: &Spec) -> Result<Stdio, SpawnError> {
    log.try_clone().map(Stdio::from).map_err(|source| SpawnError::Log { log: spec.log.to_string(), source })
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    let parent = getpid();
    let ask_the_kernel = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the request was in place.
        if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::Error::from(rustix::io::Errno::SRCH)) }
    };
    // SAFETY: the closure runs between fork and exec, where only async-signal-safe work is allowed.
    // It makes two direct system calls (prctl, getppid), reads one captured integer, and builds its
    // errors from numbers: no allocation, no lock, no panic.
    #[expect(unsafe_code, reason = "there is no safe way to set the parent-death signal of a child")]
    unsafe {
        command.pre_exec(ask_the_kernel);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {
    let _ = getpid;
}

/// Starts `command` on a thread that lasts as long as this process. The parent of the parent-death
/// signal is the *thread* that forked: a child started by a runtime's blocking thread would be
/// killed as soon as that thread idles out.
fn spawn_on_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::SyncSender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || {
                for (mut command, reply) in inbox {
                    // The one who ordered waits for the reply.
                    let _ = reply.send(command.spawn());
                }
            })
            .expect("a process that cannot start one thread cannot supervise anything");
        orders
    });
    let (reply, answer) = mpsc::sync_channel(1);
    let gone = || io::Error::other("the spawner thread is gone");
    spawner.send((command, reply)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

#[cfg(test)]
mod tests;
