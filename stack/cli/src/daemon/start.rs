//! Starting: a supervisor in a session of its own, which belongs to this command until everything works.

use std::{env, fs::File, io, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use stigmer_supervise::{Readiness, log_tail, reconcile};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use super::{
    Layout, Record, Settings, Temporal, health,
    logs::rotate,
    supervisor::{LET_GO, MARK, Message},
};

/// The hidden command of the supervisor.
pub const SUPERVISOR: &str = "internal-supervisor";

/// The parts have half a minute each and start one after the other; after that something is wrong
/// with the supervisor itself.
const LIMIT: Duration = Duration::from_secs(100);

/// How long a Temporal that the daemon does not run may take to answer: it may be starting, too.
const EXTERNAL_TEMPORAL: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Starts the stack with `settings` and returns its record once all of it works. When it does not,
/// or this future is dropped, nothing is left running. The caller holds the lock.
pub async fn start(settings: &Settings) -> Result<Record> {
    let layout = &settings.layout;
    layout.prepare()?;
    if let Temporal::External { address } = &settings.temporal {
        answers(address).await?;
    }
    // A supervisor that was killed could not clean up after itself.
    reconcile(&layout.leases(), MARK)?;
    rotate(layout)?;
    let mut supervisor = spawn(layout)?;
    let outcome = timeout(LIMIT, introduce(&mut supervisor, settings)).await;
    let told = match outcome {
        Ok(told) => told?,
        // Dropping its input tells it to stop everything.
        Err(_) => Some(Message::Failed(format!(
            "the stack was not ready within {LIMIT:?}"
        ))),
    };
    match told {
        Some(Message::Ready) => {}
        Some(Message::Failed(cause)) => {
            drop(supervisor.stdin.take());
            // It stops what it started before it ends.
            let _ = timeout(LIMIT, supervisor.wait()).await;
            bail!("{cause}");
        }
        None => {
            let status = supervisor.wait().await?;
            let log = layout.supervisor_log();
            let tail = log_tail(&log, 10).join("\n  | ");
            bail!(
                "the supervisor ended before the stack was ready ({status}); its log is {log}\n  | {tail}"
            );
        }
    }
    let record = Record::of_running(layout)
        .context("the supervisor says that it is ready, but left no record of it")?;
    if let Some(stdin) = &mut supervisor.stdin {
        stdin.write_all(format!("{LET_GO}\n").as_bytes()).await?;
        stdin.flush().await?;
    }
    Ok(record)
}

/// Whether somebody else's Temporal is there, which the parts could only wait for.
async fn answers(address: &str) -> Result<()> {
    let give_up_at = Instant::now() + EXTERNAL_TEMPORAL;
    loop {
        match health::probe(address, health::TEMPORAL_FRONTEND, EXTERNAL_TEMPORAL).await {
            Readiness::Ready => return Ok(()),
            Readiness::NotYet(seen) if Instant::now() >= give_up_at => bail!(
                "no Temporal answers at {address} ({seen}); start it, or correct TEMPORAL_SERVICE_ADDRESS"
            ),
            Readiness::NotYet(_) => sleep(PAUSE).await,
        }
    }
}

fn spawn(layout: &Layout) -> Result<Child> {
    let program = env::current_exe().context("failed to find this program")?;
    let log = layout.supervisor_log();
    let log_file = File::options()
        .create(true)
        .append(true)
        .open(&log)
        .with_context(|| format!("failed to write {log}"))?;
    Command::new(program)
        .arg(SUPERVISOR)
        // So that it keeps no folder of the user's busy.
        .current_dir(layout.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log_file)
        .spawn()
        .context("failed to start the supervisor")
}

/// Gives the supervisor its settings and waits for its outcome; nothing when it ended without one.
async fn introduce(supervisor: &mut Child, settings: &Settings) -> Result<Option<Message>> {
    let (Some(stdin), Some(stdout)) = (&mut supervisor.stdin, supervisor.stdout.take()) else {
        bail!("the supervisor has no pipes");
    };
    let mut json = serde_json::to_vec(settings)?;
    json.push(b'\n');
    match stdin.write_all(&json).await {
        // It ended already; its output and its log say why.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    stdin.flush().await?;
    let line = BufReader::new(stdout).lines().next_line().await?;
    let told = line.map(|line| serde_json::from_str(&line)).transpose();
    told.context("the supervisor says something that is no outcome")
}
