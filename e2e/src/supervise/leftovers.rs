//! Processes that outlived their run, found by the mark in their environment.

use std::{
    collections::HashSet,
    fs, io,
    time::{Duration, Instant},
};

use super::{Identity, RUN_VARIABLE, Signal};

/// How long a process may take to go after SIGKILL.
const MOMENT: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// A process that should be gone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Leftover {
    /// Which process.
    #[serde(flatten)]
    pub identity: Identity,
    /// The run it belongs to.
    pub run_id: String,
    /// Its command line, shortened.
    pub command: String,
}

/// Every live process, except this one, that carries the mark of one of `runs`.
///
/// # Errors
///
/// When the system has no `/proc` to look through.
pub fn find(runs: &HashSet<String>) -> io::Result<Vec<Leftover>> {
    let own = std::process::id();
    let pids = fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    Ok(pids
        .filter(|pid| *pid != own)
        .filter_map(|pid| marked(pid, runs))
        .collect())
}

/// Like [`find`], but gives what was killed already a moment to go: only a process that is still
/// there after a second is left behind.
pub async fn find_lasting(runs: &HashSet<String>) -> io::Result<Vec<Leftover>> {
    let deadline = Instant::now() + MOMENT;
    loop {
        let found = find(runs)?;
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

fn marked(pid: u32, runs: &HashSet<String>) -> Option<Leftover> {
    let identity = Identity::of(pid)?;
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let run_id = run_in(&environment)
        .filter(|run| runs.contains(*run))?
        .to_owned();
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let command: String = String::from_utf8_lossy(&command)
        .replace('\0', " ")
        .trim_end()
        .chars()
        .take(200)
        .collect();
    // The pid may have changed hands while its files were read.
    identity.is_alive().then_some(Leftover {
        identity,
        run_id,
        command,
    })
}

/// The value of [`RUN_VARIABLE`] in an environment block.
fn run_in(environment: &[u8]) -> Option<&str> {
    environment
        .split(|byte| *byte == 0)
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
        .find_map(|(variable, value)| (variable == RUN_VARIABLE).then_some(value))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_mark_is_found_among_other_variables_and_not_inside_them() {
        assert_eq!(run_in(b"A=1\0STIGMER_E2E_RUN=r1\0B=2\0"), Some("r1"));
        assert_eq!(run_in(b"XSTIGMER_E2E_RUN=r1\0B=STIGMER_E2E_RUN=r2\0"), None);
        assert_eq!(run_in(b""), None);
    }

    #[tokio::test]
    async fn a_process_that_is_going_is_not_left_behind_and_one_that_stays_is() {
        let run = format!("lasting-test-{}", std::process::id());
        let sleep = |seconds: &str| {
            Command::new("sleep")
                .arg(seconds)
                .env(RUN_VARIABLE, &run)
                .spawn()
                .unwrap()
        };
        let runs = HashSet::from([run.clone()]);
        let mut going = sleep("0.2");
        assert_eq!(find_lasting(&runs).await.unwrap(), []);
        going.wait().unwrap();
        let mut staying = sleep("60");
        assert_eq!(find_lasting(&runs).await.unwrap().len(), 1);
        staying.kill().unwrap();
        staying.wait().unwrap();
    }

    #[test]
    fn a_marked_process_is_found_and_killed_and_others_are_left_alone() {
        let run = format!("leftovers-test-{}", std::process::id());
        let sleep = |run: &str| {
            Command::new("sleep")
                .arg("60")
                .env(RUN_VARIABLE, run)
                .spawn()
                .unwrap()
        };
        let (mut mine, mut other) = (sleep(&run), sleep(&format!("{run}-other")));
        let runs = HashSet::from([run]);
        // The environment of a new process is visible a moment after spawn returns.
        let found = find(&runs).unwrap();
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
        assert_eq!(find(&runs).unwrap(), []);
        assert!(
            other.try_wait().unwrap().is_none(),
            "a process of another run was killed"
        );
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
