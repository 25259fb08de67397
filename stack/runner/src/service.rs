//! The process of a runner: starting, telling that it is ready, ending.

use std::time::Duration;

use anyhow::Context as _;
use stigmer_temporal::{
    Client, StopError, Target, WorkerSpec, WorkersHandle, check_health, connect_until,
    spawn_workers, until_healthy,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::watch::watch;

/// How long Temporal may take to come up, or to come back if it goes away while this process starts:
/// each step of the start has as long.
const OUTAGE: Duration = Duration::from_secs(30);

/// How long a Temporal that serves may take to know its namespace.
const NAMESPACE: Duration = Duration::from_secs(2);

/// How long what is in flight has to tell that it was stopped.
const STOP: Duration = Duration::from_secs(3);

/// How long a Temporal that is there may take to say so when the process ends.
const ANSWER: Duration = Duration::from_secs(1);

/// What a runner is told, as far as its process needs it.
pub trait RunnerSettings {
    /// The Temporal to work for.
    fn temporal(&self) -> &Target;

    /// The queues to poll.
    fn task_queues(&self) -> Vec<String>;
}

/// Runs a runner until a signal asks it to end, and ends the process. `workers` makes what polls the
/// queues; the token it is given is cancelled when the process ends.
pub fn run<S: RunnerSettings>(
    component: &'static str,
    version: &'static str,
    settings: impl FnOnce() -> anyhow::Result<S>,
    workers: impl FnOnce(&S, Client, CancellationToken) -> anyhow::Result<Vec<WorkerSpec>>,
) -> ! {
    stigmer_process::run(component, version, settings, async |settings: S| {
        serve(component, version, settings, workers).await
    })
}

async fn serve<S: RunnerSettings>(
    component: &'static str,
    version: &'static str,
    settings: S,
    workers: impl FnOnce(&S, Client, CancellationToken) -> anyhow::Result<Vec<WorkerSpec>>,
) -> anyhow::Result<()> {
    const SIGNALS: &str = "failed to listen for signals";
    let signal = stigmer_process::shutdown_requested();
    tokio::pin!(signal);
    let stopping = CancellationToken::new();
    let starting = async {
        let identity = format!("{component}@{}", std::process::id());
        let client = connect_until(settings.temporal(), &identity, OUTAGE).await?;
        until_healthy(&client, OUTAGE, NAMESPACE).await?;
        let specs = workers(&settings, client.clone(), stopping.clone())?;
        let mut workers = spawn_workers(client.clone(), specs)?;
        workers.until_polling(OUTAGE).await?;
        stigmer_process::announce(component, version, None, &settings.task_queues())?;
        anyhow::Ok((client, workers))
    };
    let (client, mut workers): (Client, WorkersHandle) = tokio::select! {
        started = starting => started?,
        signal = &mut signal => return signal.context(SIGNALS),
    };
    let ended = tokio::select! {
        error = workers.ended() => Err(anyhow::Error::new(error).context("nothing is executed any more")),
        signal = &mut signal => signal.context(SIGNALS),
        never = watch(&client) => match never {},
    };
    stopping.cancel();
    stop(workers, &client).await?;
    ended
}

/// Stops the workers. Without Temporal they never get to their end, since nobody takes their last
/// reports; that is no fault of theirs.
async fn stop(workers: WorkersHandle, client: &Client) -> Result<(), StopError> {
    let Err(error) = workers.stop(STOP).await else {
        return Ok(());
    };
    match timeout(ANSWER, check_health(client)).await {
        Ok(Ok(())) => Err(error),
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(%error, "Temporal is away; ending without it");
            Ok(())
        }
    }
}
