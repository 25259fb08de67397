//! Ending with one's owner.

use std::{io, thread};

use rustix::process::{Signal, getpid, kill_process};

use crate::Identity;

/// Ends this process by SIGKILL as soon as `owner` ends, which takes its own children with it on
/// Linux. For a process that was started by a tool in between, such as a test under nextest: the
/// parent-death signal would only tell it about the tool.
///
/// # Errors
///
/// When the owner has ended already or cannot be watched.
pub fn end_with(owner: Identity) -> io::Result<()> {
    let gone = || {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("process {} has ended", owner.pid),
        )
    };
    let handle = owner.handle().ok_or_else(gone)?;
    thread::Builder::new()
        .name("watch-owner".to_owned())
        .spawn(move || {
            if handle.wait() {
                // A process may always signal itself.
                let _ = kill_process(getpid(), Signal::KILL);
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    use super::*;

    const WATCHES: &str = "it watches its owner";

    #[test]
    fn a_process_ends_as_soon_as_its_owner_does() {
        let mut owner = Command::new("sleep").arg("600").spawn().unwrap();
        let identity = Identity::of(owner.id()).unwrap();
        let mut owned = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "owner::tests::helper_owned"])
            .args(["--ignored", "--nocapture"])
            .env("HELPER_OWNER", serde_json::to_string(&identity).unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(owned.stdout.take().unwrap()).lines();
        let says_so = |line: io::Result<String>| line.is_ok_and(|line| line.contains(WATCHES));
        assert!(printed.any(says_so), "it never watched its owner");
        assert!(
            owned.try_wait().unwrap().is_none(),
            "it ended before its owner"
        );
        owner.kill().unwrap();
        owner.wait().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while owned.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it outlived its owner");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    #[ignore = "the process that a_process_ends_as_soon_as_its_owner_does watches"]
    fn helper_owned() {
        let owner = std::env::var("HELPER_OWNER").expect("only run by its test");
        end_with(serde_json::from_str(&owner).unwrap()).unwrap();
        println!("{WATCHES}");
        std::thread::sleep(Duration::from_secs(600));
    }

    #[test]
    fn an_owner_that_is_gone_is_an_error() {
        let own = Identity::own().unwrap();
        let error = end_with(Identity {
            start: own.start.wrapping_sub(1),
            ..own
        })
        .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
