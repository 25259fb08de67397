//! The process: starting, telling that it is ready, ending.

use std::time::Duration;

use anyhow::Context;
use stigmer_temporal::{
    PingActivities, WorkerSpec, WorkersHandle, connect_until, spawn_workers, until_healthy,
};
use tokio_util::sync::CancellationToken;

use crate::{
    activities::{AgentActivities, HEARTBEAT},
    backend::Backend,
    execute::Executor,
    llm::LlmClient,
    settings::Settings,
};

const COMPONENT: &str = "stigmer-agent-runner";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long Temporal may take to come up.
const CONNECT: Duration = Duration::from_secs(30);

/// How long a Temporal that answers may take to serve and to know its namespace.
const HEALTHY: Duration = Duration::from_secs(2);

/// How long the worker may take to begin polling.
const POLLING: Duration = Duration::from_secs(10);

/// How long executions in flight have to report that they were stopped.
const STOP: Duration = Duration::from_secs(3);

/// Runs the agent-runner until a signal asks it to end, and ends the process.
pub fn main() -> ! {
    stigmer_process::run(COMPONENT, VERSION, Settings::from_env, serve)
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let signal = stigmer_process::shutdown_requested();
    tokio::pin!(signal);
    let stopping = CancellationToken::new();
    let mut workers = tokio::select! {
        workers = start(&settings, stopping.clone()) => workers?,
        signal = &mut signal => return signal.context("failed to listen for signals"),
    };
    let ended = tokio::select! {
        error = workers.ended() => Err(anyhow::Error::new(error).context("nothing is executed any more")),
        signal = &mut signal => signal.context("failed to listen for signals"),
    };
    stopping.cancel();
    workers.stop(STOP).await?;
    ended
}

async fn start(settings: &Settings, stopping: CancellationToken) -> anyhow::Result<WorkersHandle> {
    let identity = format!("{COMPONENT}@{}", std::process::id());
    let client = connect_until(&settings.temporal, &identity, CONNECT).await?;
    until_healthy(&client, HEALTHY).await?;
    let mut workers = spawn_workers(client, vec![worker(settings, stopping)?])?;
    workers.until_polling(POLLING).await?;
    stigmer_process::announce(
        COMPONENT,
        VERSION,
        None,
        std::slice::from_ref(&settings.task_queue),
    )?;
    Ok(workers)
}

fn worker(settings: &Settings, stopping: CancellationToken) -> anyhow::Result<WorkerSpec> {
    let executor = Executor {
        backend: Backend::new(&settings.backend)
            .context("failed to make a client of the stigmer-server")?,
        llm: LlmClient::new(settings.llm.clone())
            .context("failed to make an HTTP client for the LLM")?,
        agents: settings.agents.clone(),
    };
    Ok(
        WorkerSpec::new(&settings.task_queue, stigmer_process::build_id())
            .with_activities(AgentActivities::new(executor, stopping))
            .with_activities(PingActivities)
            .with_max_activities(settings.max_activities)
            .with_heartbeat_interval(HEARTBEAT),
    )
}
