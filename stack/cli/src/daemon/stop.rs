//! Stopping: the supervisor is asked to end, which it does after everything else.

use std::{fs, time::Duration};

use anyhow::{Result, bail};
use stigmer_supervise::{Signal, reconcile};
use tokio::time::{Instant, sleep};

use super::{Layout, Part, Record, supervisor::MARK};

/// Each part has five seconds, and the server comes after the runners.
const LIMIT: Duration = Duration::from_secs(20);
/// How long SIGKILL may take.
const KILL_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing ran.
    NothingRan,
    /// Everything ended when asked.
    Gracefully,
    /// The supervisor had to be killed, or had been; what it left was killed.
    Forcibly,
}

/// Stops everything of the daemon of `layout`. The caller holds the lock.
pub async fn stop(layout: &Layout) -> Result<Stopped> {
    let stopped = match Record::of_running(layout) {
        Some(record) => ask(&record).await?,
        None => Stopped::NothingRan,
    };
    // Whatever a killed supervisor left; a live one leaves nothing.
    let killed = reconcile(&layout.leases(), MARK)?.killed;
    forget(layout);
    Ok(match (stopped, killed) {
        (stopped, 0) => stopped,
        _ => Stopped::Forcibly,
    })
}

async fn ask(record: &Record) -> Result<Stopped> {
    let supervisor = record.supervisor;
    supervisor.signal(Signal::TERM);
    // A frozen process can only obey once it runs again.
    supervisor.signal(Signal::CONT);
    if ended(record, LIMIT).await {
        return Ok(Stopped::Gracefully);
    }
    supervisor.signal(Signal::KILL);
    match ended(record, KILL_LIMIT).await {
        true => Ok(Stopped::Forcibly),
        false => bail!(
            "the supervisor (process {}) does not end, not even by SIGKILL: it hangs in the kernel",
            supervisor.pid
        ),
    }
}

async fn ended(record: &Record, limit: Duration) -> bool {
    let give_up_at = Instant::now() + limit;
    while record.supervisor.is_alive() {
        if Instant::now() >= give_up_at {
            return false;
        }
        sleep(PAUSE).await;
    }
    true
}

/// Removes what a supervisor that is gone left written.
fn forget(layout: &Layout) {
    let files = Part::ALL
        .into_iter()
        .flat_map(|part| [layout.pid_file(part), layout.ready_file(part)]);
    for file in files.chain([layout.record()]) {
        // A file that is not there is what is wanted; one that cannot be removed is believed by
        // nobody, since its supervisor is gone.
        let _ = fs::remove_file(file);
    }
}
