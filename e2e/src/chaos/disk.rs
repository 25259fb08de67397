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
