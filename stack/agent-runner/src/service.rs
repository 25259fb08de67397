//! The process: what it polls for.

use anyhow::Context as _;
use stigmer_runner::Server;
use stigmer_temporal::{Client, PingActivities, WorkerSpec};
use tokio_util::sync::CancellationToken;

use crate::{
    activities::{AgentActivities, HEARTBEAT},
    backend::Backend,
    execute::Executor,
    llm::LlmClient,
    probe,
    settings::Settings,
    workspace,
};

const COMPONENT: &str = "stigmer-agent-runner";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs the agent-runner until a signal asks it to end, and ends the process; or does nothing but probe
/// the model.
pub fn main() -> ! {
    if std::env::args().skip(1).eq([probe::FLAG]) {
        std::process::exit(probe::run());
    }
    stigmer_runner::run(COMPONENT, VERSION, Settings::from_env, workers)
}

fn workers(
    settings: &Settings,
    _: Client,
    stopping: CancellationToken,
) -> anyhow::Result<Vec<WorkerSpec>> {
    let root = settings.agents.workspace_root.clone();
    tokio::task::spawn_blocking(move || workspace::remove_stale(&root));
    let executor = Executor {
        backend: Backend::new(Server::new(&settings.backend)?),
        llm: LlmClient::new(settings.llm.clone())
            .context("failed to make an HTTP client for the LLM")?,
        agents: settings.agents.clone(),
    };
    Ok(vec![
        WorkerSpec::new(&settings.task_queue, stigmer_process::build_id())
            .with_activities(AgentActivities::new(executor, stopping))
            .with_activities(PingActivities)
            .with_max_activities(settings.max_activities)
            .with_heartbeat_interval(HEARTBEAT),
    ])
}
