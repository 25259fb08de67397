//! Which process, for good: a pid alone may be used again by another process.

use std::fs;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::handle::Handle;

/// A process by pid and start time. Two processes never share both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// The process id.
    pub pid: u32,
    /// Clock ticks between the start of the machine and of the process (`/proc/<pid>/stat`, field 22).
    pub start: u64,
}

impl Identity {
    /// The process that has `pid` now, unless there is none, it is a zombie, or the system has no `/proc`.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        parse_stat(&stat).map(|start| Self { pid, start })
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }

    /// Whether it runs but was stopped, by SIGSTOP or a debugger: it does nothing until it is thawed.
    pub fn is_frozen(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        parse_stat(&stat) == Some(self.start) && matches!(state_of(&stat), Some("T" | "t"))
    }

    /// Sends `signal` to exactly this process; tells whether it was there to get it. A process that
    /// took over the pid is never hit: the handle is opened first and checked after, and stays bound
    /// to the process it was opened for.
    pub fn signal(&self, signal: Signal) -> bool {
        self.handle().is_some_and(|handle| handle.send(signal))
    }

    /// A handle that stays bound to this process; nothing when it has ended.
    pub(super) fn handle(&self) -> Option<Handle> {
        let handle = Handle::open(self.pid)?;
        self.is_alive().then_some(handle)
    }
}

/// The parent of the process that has `pid` now, unless there is none or it is a zombie.
pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    fields.next()?.parse().ok().filter(|_| state != "Z")
}

/// The start time in a line of `/proc/<pid>/stat`; nothing for a zombie.
fn parse_stat(stat: &str) -> Option<u64> {
    match state_of(stat)? {
        "Z" | "X" => None,
        _ => fields(stat)?.nth(19)?.parse().ok(),
    }
}

fn state_of(stat: &str) -> Option<&str> {
    fields(stat)?.next()
}

/// The fields after the name, which stands in parentheses and may hold spaces and parentheses.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 10 20 30";
        assert_eq!(parse_stat(stat), Some(987654));
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let stat = "42 (a) Z 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 10 20 30";
        assert_eq!(parse_stat(stat), None);
    }

    #[test]
    fn this_process_is_alive_and_a_predecessor_with_its_pid_is_not() {
        let own = Identity::own().expect("Linux has /proc");
        assert!(own.is_alive());
        let predecessor = Identity {
            start: own.start.wrapping_sub(1),
            ..own
        };
        assert!(!predecessor.is_alive());
        assert!(
            !predecessor.signal(Signal::KILL),
            "the signal must not reach whoever took over the pid"
        );
    }

    #[test]
    fn a_stopped_process_is_alive_and_frozen_until_it_goes_on() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let identity = Identity::of(child.id()).unwrap();
        assert!(!identity.is_frozen());
        for (signal, frozen) in [(Signal::STOP, true), (Signal::CONT, false)] {
            identity.signal(signal);
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
            while identity.is_frozen() != frozen {
                assert!(std::time::Instant::now() < deadline, "{signal:?}");
                std::thread::yield_now();
            }
            assert!(identity.is_alive());
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
