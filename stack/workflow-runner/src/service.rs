//! The process: what it polls for.

use std::process::ExitCode;

use anyhow::Context as _;
use stigmer_runner::Server;
use stigmer_temporal::{Client, PingActivities, Replayer, WorkerSpec, replay_if_asked};
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

/// Executions that are waited for at a time. Waiting costs next to nothing.
const MAX_EXECUTIONS: usize = 1000;

/// Runs the workflow-runner until a signal asks it to end, and ends the process; or replays histories,
/// when asked to.
pub fn main() -> ExitCode {
    if let Some(code) = replay_if_asked(replayer) {
        return code;
    }
    stigmer_runner::run(COMPONENT, VERSION, Settings::from_env, workers)
}

/// The workflows that [`workers`] run.
pub(crate) fn replayer() -> Replayer {
    Replayer::default().with_workflow::<ServerlessWorkflow>()
}

fn workers(
    settings: &Settings,
    client: Client,
    stopping: CancellationToken,
) -> anyhow::Result<Vec<WorkerSpec>> {
    // Read before the first workflow, which would wait for it, and beside the rest of the start.
    tokio::task::spawn_blocking(expression::warm_up);
    let build = stigmer_process::build_id();
    let backend = Backend::new(Server::new(&settings.backend)?);
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
