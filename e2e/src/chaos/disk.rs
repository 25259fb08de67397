//! A disk that takes no more, and one that takes its time; neither needs a superuser.

use std::{io, thread, time::Duration};

use camino::Utf8Path;
use rusqlite::Connection;

/// How long the store may be busy with somebody else before it can be held.
const BUSY: Duration = Duration::from_secs(10);

/// From now on no file of process `pid` can grow beyond what `database` and its log are now: a write
/// beyond fails. What fits is still written, as on a disk that is full.
///
/// # Errors
///
/// When the process is gone, or this system cannot change another process's limits.
#[cfg(target_os = "linux")]
pub(super) fn fill(pid: u32, database: &Utf8Path) -> io::Result<()> {
    let size = |path: String| std::fs::metadata(path).map_or(0, |file| file.len());
    let limit = size(database.to_string()).max(size(format!("{database}-wal")));
    limit_files(pid, Some(limit))
}

/// Files of process `pid` can grow again.
///
/// # Errors
///
/// As [`fill`].
#[cfg(target_os = "linux")]
pub(super) fn empty(pid: u32) -> io::Result<()> {
    limit_files(pid, None)
}

#[cfg(target_os = "linux")]
fn limit_files(pid: u32, current: Option<u64>) -> io::Result<()> {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current,
        // The limit of the limit stays, so that it can be taken back.
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit)?;
    Ok(())
}

/// This system cannot change another process's limits.
#[cfg(not(target_os = "linux"))]
pub(super) fn fill(_pid: u32, _database: &Utf8Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// This system cannot change another process's limits.
#[cfg(not(target_os = "linux"))]
pub(super) fn empty(_pid: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// For this long whoever writes to `database` has to wait, as for a disk that takes its time. Blocks
/// meanwhile.
///
/// # Errors
///
/// When the database cannot be opened or held.
pub(super) fn stall(database: &Utf8Path, lasting: Duration) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    thread::sleep(lasting);
    connection.execute_batch("ROLLBACK")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn database() -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8Path::from_path(folder.path())
            .expect("a UTF-8 path")
            .join("x.db");
        let connection = Connection::open(&path).expect("a new database");
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)")
            .expect("a new table");
        (folder, path)
    }

    #[test]
    fn who_writes_to_a_stalled_database_waits_and_then_goes_on() {
        let (_folder, path) = database();
        let lasting = Duration::from_millis(200);
        let stalling = {
            let path = path.clone();
            thread::spawn(move || stall(&path, lasting))
        };
        let connection = Connection::open(&path).expect("it is there");
        connection.busy_timeout(BUSY).expect("a limit");
        let begin = Instant::now();
        while begin.elapsed() < BUSY {
            // Whoever writes without a break leaves nobody else a turn.
            thread::sleep(Duration::from_millis(5));
            let before = Instant::now();
            connection
                .execute("INSERT INTO t VALUES (1)", [])
                .expect("it is written in the end");
            if before.elapsed() > lasting / 2 {
                stalling.join().expect("no panic").expect("it was held");
                return;
            }
        }
        panic!("no write had to wait");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_whose_disk_is_full_is_told_so_and_writes_again_afterwards() {
        use std::{
            io::{BufRead, BufReader, Write},
            process::{Command, Stdio},
        };

        let (_folder, path) = database();
        let script = "trap '' XFSZ; while read -r line; do \
                      head -c 100000 /dev/zero >> \"$0.grown\" 2>/dev/null && echo yes || echo no; done";
        let mut shell = Command::new("sh")
            .args(["-c", script, path.as_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut ask = shell.stdin.take().expect("it is piped");
        let mut answers = BufReader::new(shell.stdout.take().expect("it is piped")).lines();
        let mut writes = || {
            ask.write_all(b"go\n").expect("the shell reads");
            answers.next().expect("an answer").expect("a text")
        };
        assert_eq!(writes(), "yes");
        fill(shell.id(), &path).expect("the shell runs");
        assert_eq!(writes(), "no");
        empty(shell.id()).expect("the shell runs");
        assert_eq!(writes(), "yes");
        drop(ask);
        shell.wait().expect("it ends with its input");
    }
}
