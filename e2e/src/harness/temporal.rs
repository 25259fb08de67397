//! An environment's namespace, seen from outside: its workflows, their histories, its pollers.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use stigmer_api::temporal_names::{AGENT_EXECUTION_RUNNER, AGENT_EXECUTION_STIGMER};
use stigmer_temporal::{
    AdminError, Client, ConnectError, Execution, PingError, PollerInfo, QueueKind, Target, connect,
    create_namespace, history_json, list_workflow_ids, ping, pollers,
};

use super::record::function_name;

/// Histories are wanted until the run is over; this is the shortest time that Temporal accepts.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// A name for the namespace of a test that no other environment has, be it of an earlier run against
/// the same Temporal.
pub(super) fn unique_namespace(test: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = jiff::Timestamp::now().as_millisecond();
    let name = function_name(test).chars().take(60).collect::<String>();
    format!("{name}-{now:x}-{}-{number}", std::process::id())
}

/// The shared Temporal did not give a namespace.
#[derive(Debug, thiserror::Error)]
pub enum TemporalError {
    /// It cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It refused.
    #[error(transparent)]
    Admin(#[from] AdminError),
}

/// A client of one namespace.
pub struct Temporal {
    client: Client,
}

impl Temporal {
    /// Creates `namespace` on the Temporal at `address`.
    pub(super) async fn create(address: &str, namespace: &str) -> Result<Self, TemporalError> {
        let target = Target {
            address: address.to_owned(),
            namespace: namespace.to_owned(),
        };
        let client = connect(&target, &format!("stigmer-e2e@{}", std::process::id())).await?;
        create_namespace(&client, namespace, RETENTION).await?;
        Ok(Self { client })
    }

    /// Every run, the latest first. A run becomes visible a moment after it starts.
    ///
    /// # Errors
    ///
    /// When Temporal does not answer.
    pub async fn workflows(&self) -> Result<Vec<Execution>, AdminError> {
        list_workflow_ids(&self.client).await
    }

    /// The history of the latest run of a workflow, as JSON text.
    ///
    /// # Errors
    ///
    /// When there is no such workflow, or Temporal does not answer.
    pub async fn history(&self, workflow_id: &str) -> Result<String, AdminError> {
        history_json(&self.client, workflow_id, None).await
    }

    /// Who polls a queue.
    ///
    /// # Errors
    ///
    /// When Temporal does not answer.
    pub async fn pollers(
        &self,
        task_queue: &str,
        kind: QueueKind,
    ) -> Result<Vec<PollerInfo>, AdminError> {
        pollers(&self.client, task_queue, kind).await
    }

    /// One ping through a server-side queue and, if given, on through a runner's.
    ///
    /// # Errors
    ///
    /// When no answer comes within `limit`.
    pub async fn ping(
        &self,
        workflow_queue: &str,
        activity_queue: Option<&str>,
        limit: Duration,
    ) -> Result<(), PingError> {
        ping(&self.client, workflow_queue, activity_queue, limit).await
    }

    /// Who polls each queue of the stack, one line each.
    pub(super) async fn pollers_report(&self) -> Vec<String> {
        let queues = [
            (AGENT_EXECUTION_STIGMER, QueueKind::Workflow),
            (AGENT_EXECUTION_RUNNER, QueueKind::Activity),
        ];
        let mut lines = Vec::new();
        for (queue, kind) in queues {
            let who = match self.pollers(queue.default, kind).await {
                Ok(pollers) if pollers.is_empty() => "nobody".to_owned(),
                Ok(pollers) => pollers
                    .into_iter()
                    .map(|poller| poller.identity)
                    .collect::<Vec<_>>()
                    .join(", "),
                Err(error) => error.to_string(),
            };
            lines.push(format!(
                "pollers of {} ({kind:?} tasks): {who}",
                queue.default
            ));
        }
        lines
    }
}
