//! One command at a time starts or stops the daemon of a HOME.

use std::{
    fs::{File, TryLockError},
    io,
    time::Duration,
};

use camino::Utf8PathBuf;
use tokio::time::{Instant, sleep};

use super::Layout;

/// Another command may take as long as a start and a stop.
const LIMIT: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(10);

/// The lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("failed to lock {path}: {source}; make it writable")]
    Io {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error(
        "another stigmer command has been starting or stopping the server for {LIMIT:?} (it holds {0}); end it and try again"
    )]
    Busy(Utf8PathBuf),
}

/// Held until dropped; also given up when the process ends in any way.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Waits for its turn.
    pub async fn take(layout: &Layout) -> Result<Self, LockError> {
        let path = layout.lock();
        let io = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io)?;
        let give_up_at = Instant::now() + LIMIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(io(error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= give_up_at => {
                    return Err(LockError::Busy(path));
                }
                Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
            }
        }
    }
}
