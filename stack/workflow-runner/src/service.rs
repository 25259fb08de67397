//! The process: starting, telling that it is ready, ending.

use std::time::Duration;

use anyhow::Context as _;
use stigmer_temporal::{
    Client, PingActivities, WorkerSpec, WorkersHandle, check_health, connect_until, spawn_workers,
};
use tokio_util::sync::CancellationToken;

use crate::{
    activities::{
        ExecuteActivities, HEARTBEAT, ProgressActivities, TaskActivities, ValidateActivities,
    },
    backend::Backend,
    engine::expression,
    settings::Settings,
    temporal::ServerlessWorkflow,
};

const COMPONENT: &str = "stigmer-workflow-runner";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long Temporal may take to come up.
const CONNECT: Duration = Duration::from_secs(30);

/// How long the workers may take to begin polling.
const POLLING: Duration = Duration::from_secs(10);

/// How long what is in flight has to tell that it was stopped.
const STOP: Duration = Duration::from_secs(3);

/// Executions that are waited for at a time. Waiting costs next to nothing.
const MAX_EXECUTIONS: usize = 1000;

/// Runs the workflow-runner until a signal asks it to end, and ends the process.
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
    // Read beside the connecting; the first workflow would wait for it.
    let library = tokio::task::spawn_blocking(expression::warm_up);
    let identity = format!("{COMPONENT}@{}", std::process::id());
    let client = connect_until(&settings.temporal, &identity, CONNECT).await?;
    check_health(&client).await?;
    let mut workers = spawn_workers(client.clone(), workers(settings, client, stopping)?)?;
    workers.until_polling(POLLING).await?;
    library
        .await
        .context("failed to read the standard library of expressions")?;
    stigmer_process::announce(COMPONENT, VERSION, None, &settings.queues.names())?;
    Ok(workers)
}

fn workers(
    settings: &Settings,
    client: Client,
    stopping: CancellationToken,
) -> anyhow::Result<Vec<WorkerSpec>> {
    let build = stigmer_process::build_id();
    let backend =
        Backend::new(&settings.backend).context("failed to make a client of the stigmer-server")?;
    let tasks = TaskActivities::new(backend.clone(), stopping.clone())
        .context("failed to make an HTTP client")?;
    let queues = &settings.queues;
    let execution = WorkerSpec::new(&queues.execution, build)
        .with_activities(ExecuteActivities {
            client,
            task_queue: queues.tasks.clone(),
            backend: backend.clone(),
            stopping,
        })
        .with_activities(PingActivities)
        .with_max_activities(MAX_EXECUTIONS)
        .with_heartbeat_interval(HEARTBEAT);
    let interpreter = WorkerSpec::new(&queues.tasks, build)
        .with_workflow::<ServerlessWorkflow>()
        .with_activities(tasks)
        .with_activities(ProgressActivities { backend })
        .with_activities(PingActivities)
        .with_max_activities(settings.max_calls)
        .with_heartbeat_interval(HEARTBEAT);
    let validation = WorkerSpec::new(&queues.validation, build)
        .with_activities(ValidateActivities)
        .with_activities(PingActivities);
    Ok(vec![execution, interpreter, validation])
}
