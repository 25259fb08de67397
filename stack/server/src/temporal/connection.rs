//! The connection to Temporal: made in the background, watched, and made again. Workers and starter
//! live and die with it, so that there is never more than one set of them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use stigmer_temporal::{
    Client, Ping, Target, WorkerSpec, WorkersHandle, check_health, connect, connect_until,
    spawn_workers,
};
use tokio::{sync::watch, time};
use tokio_util::sync::CancellationToken;

use super::{
    activities::{AgentExecutionActivities, WorkflowExecutionActivities},
    agent_execution::RunAgentExecution,
    callback::{self, CallbackActivities},
    queues::TaskQueues,
    starter::Starter,
    validation::ValidateWorkflow,
    workflow_execution::RunWorkflowExecution,
};
use crate::{executions::Orchestrator, store::Store};

/// How long attempts follow each other closely, for a Temporal that starts at the same time or is
/// restarted.
const EAGER: Duration = Duration::from_secs(2);

/// The waits between later attempts: doubled from the first to the last.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How often a connection is checked.
const WATCH: Duration = Duration::from_secs(2);

/// Agent executions that are waited for at a time. Attending one costs next to nothing.
const MAX_CALLBACKS: usize = 1000;

/// How long workers may take to stop: short at the end of the process, which nobody should wait for;
/// longer when they are replaced.
const STOP: Duration = Duration::from_millis(300);
const REPLACE: Duration = Duration::from_secs(10);

/// Keeps the server connected to Temporal.
pub struct Supervisor {
    /// Which Temporal.
    pub target: Target,
    /// Which queues.
    pub queues: TaskQueues,
    /// What the activities write to.
    pub store: Store,
    /// Set while connected.
    pub connection: watch::Sender<Option<Arc<dyn Orchestrator>>>,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
}

impl Supervisor {
    /// Connects, watches, and connects again, until the server stops.
    pub async fn run(self) {
        let stopping = self.stopping.clone();
        let mut serving = None;
        // Dropped at any point, connecting leaves nothing behind; workers that run are stopped below.
        tokio::select! {
            () = stopping.cancelled() => {}
            never = self.keep_connected(&mut serving) => match never {},
        }
        if let Some(workers) = serving {
            stop(workers, STOP).await;
        }
    }

    async fn keep_connected(&self, serving: &mut Option<WorkersHandle>) -> Infallible {
        loop {
            let (client, workers) = self.connect_with_workers().await;
            let workers = serving.insert(workers);
            let starter = Starter {
                client: client.clone(),
                queues: self.queues.clone(),
            };
            self.connection.send_replace(Some(Arc::new(starter)));
            tracing::info!(
                address = self.target.address,
                namespace = self.target.namespace,
                "connected to Temporal"
            );

            let cause = lost(&client, workers).await;
            self.connection.send_replace(None);
            tracing::warn!(cause, "lost Temporal; connecting again");
            stigmer_fault::inject!(NeverReconnects, { std::future::pending::<()>().await });
            if let Some(workers) = serving.take() {
                stop(workers, REPLACE).await;
            }
        }
    }

    async fn connect_with_workers(&self) -> (Client, WorkersHandle) {
        let identity = format!("stigmer-server@{}", std::process::id());
        let mut client = connect_until(&self.target, &identity, EAGER).await;
        let mut waits = ExponentialBuilder::new()
            .with_min_delay(BACKOFF.0)
            .with_max_delay(BACKOFF.1)
            .with_jitter()
            .without_max_times()
            .build();
        loop {
            let cause = match client {
                Ok(client) => match self.start_workers(client).await {
                    Ok(connected) => return connected,
                    Err(cause) => cause,
                },
                Err(error) => error.to_string(),
            };
            // Without a limit on their number the waits never end.
            let wait = waits.next().unwrap_or(BACKOFF.1).min(BACKOFF.1);
            tracing::warn!(
                cause,
                wait_ms = wait.as_millis(),
                "Temporal is not available; trying again"
            );
            time::sleep(wait).await;
            client = connect(&self.target, &identity).await;
        }
    }

    async fn start_workers(&self, client: Client) -> Result<(Client, WorkersHandle), String> {
        check_health(&client)
            .await
            .map_err(|error| error.to_string())?;
        let workers = spawn_workers(client.clone(), self.workers(&client))
            .map_err(|error| error.to_string())?;
        Ok((client, workers))
    }

    fn workers(&self, client: &Client) -> Vec<WorkerSpec> {
        let [agent_execution, workflow_execution, validation] = self.queues.polled().map(|queue| {
            WorkerSpec::new(&queue, stigmer_process::build_id()).with_workflow::<Ping>()
        });
        vec![
            agent_execution
                .with_workflow::<RunAgentExecution>()
                .with_activities(AgentExecutionActivities {
                    store: self.store.clone(),
                })
                .with_activities(CallbackActivities {
                    client: client.clone(),
                })
                .with_max_activities(MAX_CALLBACKS)
                .with_heartbeat_interval(callback::HEARTBEAT),
            workflow_execution
                .with_workflow::<RunWorkflowExecution>()
                .with_activities(WorkflowExecutionActivities {
                    store: self.store.clone(),
                }),
            validation
                .with_workflow::<ValidateWorkflow>()
                .without_cache(),
        ]
    }
}

/// Waits until the connection or a worker is lost, and says why.
async fn lost(client: &Client, workers: &mut WorkersHandle) -> String {
    loop {
        tokio::select! {
            error = workers.ended() => return error.to_string(),
            () = time::sleep(WATCH) => {}
        }
        if let Err(error) = check_health(client).await {
            return error.to_string();
        }
    }
}

async fn stop(workers: WorkersHandle, deadline: Duration) {
    if let Err(error) = workers.stop(deadline).await {
        tracing::warn!(%error, "workers did not stop in time");
    }
}
