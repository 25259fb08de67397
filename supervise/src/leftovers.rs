//! Processes that outlived their owner, found by the mark in their environment.

use std::{
    collections::HashSet,
    fs, io,
    time::{Duration, Instant},
};

use crate::{Identity, Signal};

/// How long a process may take to go after SIGKILL.
const MOMENT: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// A process that should be gone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Leftover {
    /// Which process.
    #[serde(flatten)]
    pub identity: Identity,
    /// The owner it belongs to: what its mark says.
    pub run_id: String,
    /// Its command line, shortened.
    pub command: String,
}

/// A mark: an environment variable that every process of an owner carries, whoever started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The variable.
    pub variable: &'static str,
    /// Which owner.
    pub owner: String,
}

/// Every live process, except this one, whose environment has one of `owners` as `variable`.
///
/// # Errors
///
/// When the system has no `/proc` to look through.
pub fn find(variable: &str, owners: &HashSet<String>) -> io::Result<Vec<Leftover>> {
    let own = std::process::id();
    let pids = fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    Ok(pids
        .filter(|pid| *pid != own)
        .filter_map(|pid| marked(pid, variable, owners))
        .collect())
}

/// Like [`find`], but gives what was killed already a moment to go: only a process that is still
/// there after a second is left behind.
pub async fn find_lasting(variable: &str, owners: &HashSet<String>) -> io::Result<Vec<Leftover>> {
    let deadline = Instant::now() + MOMENT;
    loop {
        let found = find(variable, owners)?;
        if found.is_empty() || Instant::now() >= deadline {
            return Ok(found);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Kills each of `leftovers` that is still the process that was found; tells how many were.
pub fn kill(leftovers: &[Leftover]) -> usize {
    leftovers
        .iter()
        .filter(|leftover| leftover.identity.signal(Signal::KILL))
        .count()
}

fn marked(pid: u32, variable: &str, owners: &HashSet<String>) -> Option<Leftover> {
    let identity = Identity::of(pid)?;
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let run_id = value_of(variable, &environment)
        .filter(|owner| owners.contains(*owner))?
        .to_owned();
    let command = command_of(pid)?;
    // The pid may have changed hands while its files were read.
    identity.is_alive().then_some(Leftover {
        identity,
        run_id,
        command,
    })
}

/// The command line of a process, shortened.
pub(crate) fn command_of(pid: u32) -> Option<String> {
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    Some(command.trim_end().chars().take(200).collect())
}

/// The value of `wanted` in an environment block.
fn value_of<'a>(wanted: &str, environment: &'a [u8]) -> Option<&'a str> {
    environment
        .split(|byte| *byte == 0)
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
        .find_map(|(variable, value)| (variable == wanted).then_some(value))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const VARIABLE: &str = "STIGMER_SUPERVISE_TEST";

    #[test]
    fn the_mark_is_found_among_other_variables_and_not_inside_them() {
        assert_eq!(value_of("OWNER", b"A=1\0OWNER=r1\0B=2\0"), Some("r1"));
        assert_eq!(value_of("OWNER", b"XOWNER=r1\0B=OWNER=r2\0"), None);
        assert_eq!(value_of("OWNER", b""), None);
    }

    #[tokio::test]
    async fn a_process_that_is_going_is_not_left_behind_and_one_that_stays_is() {
        let run = format!("lasting-test-{}", std::process::id());
        let sleep = |seconds: &str| {
            Command::new("sleep")
                .arg(seconds)
                .env(VARIABLE, &run)
                .spawn()
                .unwrap()
        };
        let runs = HashSet::from([run.clone()]);
        let mut going = sleep("0.2");
        assert_eq!(find_lasting(VARIABLE, &runs).await.unwrap(), []);
        going.wait().unwrap();
        let mut staying = sleep("60");
        assert_eq!(find_lasting(VARIABLE, &runs).await.unwrap().len(), 1);
        staying.kill().unwrap();
        staying.wait().unwrap();
    }

    #[test]
    fn a_marked_process_is_found_and_killed_and_others_are_left_alone() {
        let run = format!("leftovers-test-{}", std::process::id());
        let sleep = |run: &str| {
            Command::new("sleep")
                .arg("60")
                .env(VARIABLE, run)
                .spawn()
                .unwrap()
        };
        let (mut mine, mut other) = (sleep(&run), sleep(&format!("{run}-other")));
        let runs = HashSet::from([run]);
        // The environment of a new process is visible a moment after spawn returns.
        let found = find(VARIABLE, &runs).unwrap();
        assert_eq!(
            found
                .iter()
                .map(|leftover| leftover.identity.pid)
                .collect::<Vec<_>>(),
            [mine.id()]
        );
        assert_eq!(found[0].command, "sleep 60");
        assert_eq!(kill(&found), 1);
        mine.wait().unwrap();
        assert_eq!(find(VARIABLE, &runs).unwrap(), []);
        assert!(
            other.try_wait().unwrap().is_none(),
            "a process of another run was killed"
        );
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
