//! The warden: the parent of an owner, which outlives it whatever ends it, and takes down what it left.
//!
//! Processes that die with their parent are gone by then. What is left are those that took care not to:
//! a session of their own, a double fork, a cleared environment. As the subreaper of its descendants the
//! warden becomes the parent of each of them, so none can hide.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::{Errno, retry_on_intr},
    process::{Pid, Signal, WaitOptions, wait},
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{Identity, Mark, identity::parent_of, leftovers, spawn::on_death_of_parent};

/// How long what is left may take to go after SIGKILL.
const LIMIT: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(2);

/// How the owner ended, and what it had left.
#[derive(Debug)]
pub struct Aftermath {
    /// How it ended.
    pub status: ExitStatus,
    /// The command lines of the processes that were killed.
    pub killed: Vec<String>,
}

/// Runs `command` as the owner of everything it starts, passes SIGINT, SIGTERM, and SIGHUP on to it,
/// and, once it has ended, kills every descendant that is left and every process with `mark`. When the
/// warden itself is killed, the owner gets SIGTERM. Call it on the main thread, and only once: this
/// process reaps all its children from now on.
///
/// # Errors
///
/// When the command cannot be started or watched.
pub fn watch(mut command: Command, mark: &Mark) -> io::Result<Aftermath> {
    become_subreaper()?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let listening = signals.handle();
    // In a group of its own, so that Ctrl-C on the terminal reaches it once: through the warden.
    command.process_group(0);
    on_death_of_parent(&mut command, Signal::TERM);
    let owner = command.spawn()?.id();
    let owner_identity = Identity::of(owner);
    let forwarding = thread::spawn(move || {
        for signal in signals.forever() {
            if let (Some(owner), Some(signal)) = (owner_identity, Signal::from_named_raw(signal)) {
                owner.signal(signal);
            }
        }
    });
    let status = ended(owner)?;
    listening.close();
    // It only waits for signals.
    let _ = forwarding.join();
    Ok(Aftermath {
        status,
        killed: sweep(mark)?,
    })
}

#[cfg(target_os = "linux")]
fn become_subreaper() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(
        rustix::process::getpid(),
    ))?)
}

/// Elsewhere only the mark tells what is left.
#[cfg(not(target_os = "linux"))]
fn become_subreaper() -> io::Result<()> {
    Ok(())
}

/// Reaps whatever ends until `owner` does.
fn ended(owner: u32) -> io::Result<ExitStatus> {
    loop {
        let reaped = retry_on_intr(|| wait(WaitOptions::empty()))?;
        if let Some((_, status)) = reaped.filter(|(pid, _)| is(*pid, owner)) {
            return Ok(ExitStatus::from_raw(status.as_raw()));
        }
    }
}

fn is(pid: Pid, number: u32) -> bool {
    u32::try_from(pid.as_raw_nonzero().get()) == Ok(number)
}

/// Kills until nothing is left. A process that forks meanwhile is met again in the next round, as a
/// child of this process once its parent is gone.
fn sweep(mark: &Mark) -> io::Result<Vec<String>> {
    let owners = HashSet::from([mark.owner.clone()]);
    let deadline = Instant::now() + LIMIT;
    let mut killed = BTreeMap::new();
    loop {
        let marked = leftovers::find(mark.variable, &owners)?.into_iter();
        let marked = marked.map(|leftover| (leftover.identity, leftover.command));
        let left: Vec<(Identity, String)> = children().into_iter().chain(marked).collect();
        if left.is_empty() {
            return Ok(killed.into_values().collect());
        }
        if Instant::now() >= deadline {
            let (identity, command) = &left[0];
            return Err(io::Error::other(format!(
                "process {} ({command}) does not end on SIGKILL",
                identity.pid
            )));
        }
        for (identity, command) in left {
            identity.signal(Signal::KILL);
            killed.insert(identity, command);
        }
        reap();
        thread::sleep(LOOK);
    }
}

/// The live children of this process.
fn children() -> Vec<(Identity, String)> {
    let own = std::process::id();
    let pids = fs::read_dir("/proc").into_iter().flatten();
    pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| parent_of(*pid) == Some(own))
        .filter_map(|pid| {
            Some((
                Identity::of(pid)?,
                leftovers::command_of(pid).unwrap_or_default(),
            ))
        })
        .collect()
}

fn reap() {
    while let Ok(Some(_)) | Err(Errno::INTR) = wait(WaitOptions::NOHANG) {}
}

#[cfg(test)]
mod tests;
