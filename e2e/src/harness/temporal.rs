//! An environment's namespace, seen from outside: its workflows, their histories, its pollers.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use camino::Utf8Path;
use serde_json::Value;
use stigmer_api::temporal_names::{
    AGENT_EXECUTION_RUNNER, AGENT_EXECUTION_STIGMER, TaskQueue, WORKFLOW_EXECUTION_RUNNER,
    WORKFLOW_EXECUTION_STIGMER, WORKFLOW_VALIDATION_RUNNER, WORKFLOW_VALIDATION_STIGMER,
    ZIGFLOW_EXECUTION,
};
use stigmer_temporal::{
    AdminError, Arguments, Client, ConnectError, Encryption, Execution, HealthError, KeyError,
    Keys, PingError, PollerInfo, QueueKind, SignalError, Target, check_health, connect,
    create_namespace, decode_history, history_json, list_workflow_ids, ping, pollers,
    signal_workflow,
};

use super::record::function_name;

/// Histories are wanted until the run is over; this is the shortest time that Temporal accepts.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Every queue of the stack, with the tasks that a part polls it for.
pub const QUEUES: [(TaskQueue, QueueKind); 8] = [
    (AGENT_EXECUTION_STIGMER, QueueKind::Workflow),
    (AGENT_EXECUTION_RUNNER, QueueKind::Activity),
    (WORKFLOW_EXECUTION_STIGMER, QueueKind::Workflow),
    (WORKFLOW_EXECUTION_RUNNER, QueueKind::Activity),
    (WORKFLOW_VALIDATION_STIGMER, QueueKind::Workflow),
    (WORKFLOW_VALIDATION_RUNNER, QueueKind::Activity),
    (ZIGFLOW_EXECUTION, QueueKind::Workflow),
    (ZIGFLOW_EXECUTION, QueueKind::Activity),
];

/// A name for the namespace of a test that no other environment has, be it of an earlier run against
/// the same Temporal.
pub(super) fn unique_namespace(test: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = jiff::Timestamp::now().as_millisecond();
    let prefix = namespace_prefix(test);
    format!("{prefix}{now:x}-{}-{number}", std::process::id())
}

/// What every namespace of `test` begins with.
pub(super) fn namespace_prefix(test: &str) -> String {
    let name = function_name(test).chars().take(60).collect::<String>();
    format!("{name}-")
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
    /// The key of the environment's payloads cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A namespace that should be there is not, or does not answer.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// Somebody else would take the tasks.
    #[error(
        "the queue {queue:?} in namespace {namespace:?} is polled by {who}: stop that, or name another namespace"
    )]
    Polled {
        /// The queue.
        queue: String,
        /// The namespace.
        namespace: String,
        /// Who polls it.
        who: String,
    },
}

/// A client of one namespace, which reads and writes payloads with the key of its environment.
pub struct Temporal {
    client: Client,
    keys: Keys,
}

impl Temporal {
    /// Creates `namespace` on the Temporal at `address`, and the key file `key` unless it exists.
    pub(super) async fn create(
        address: &str,
        namespace: &str,
        key: &Utf8Path,
    ) -> Result<Self, TemporalError> {
        let temporal = Self::reach(address, namespace, key).await?;
        create_namespace(&temporal.client, namespace, RETENTION).await?;
        Ok(temporal)
    }

    /// Takes `namespace` of the Temporal at `address` as it is, unless somebody works on the stack's
    /// queues there. Creates the key file `key` unless it exists.
    pub(super) async fn join(
        address: &str,
        namespace: &str,
        key: &Utf8Path,
    ) -> Result<Self, TemporalError> {
        let temporal = Self::reach(address, namespace, key).await?;
        check_health(&temporal.client).await?;
        for (queue, kind) in QUEUES {
            let pollers = temporal.pollers(queue.default, kind).await?;
            if let Some(poller) = pollers.into_iter().next() {
                return Err(TemporalError::Polled {
                    queue: queue.default.to_owned(),
                    namespace: namespace.to_owned(),
                    who: poller.identity,
                });
            }
        }
        Ok(temporal)
    }

    async fn reach(address: &str, namespace: &str, key: &Utf8Path) -> Result<Self, TemporalError> {
        let keys = Keys::load_or_create(key.as_std_path())?;
        let target = Target {
            address: address.to_owned(),
            namespace: namespace.to_owned(),
            encryption: Encryption::with(keys.clone()),
        };
        let client = connect(&target, &format!("stigmer-e2e@{}", std::process::id())).await?;
        Ok(Self { client, keys })
    }

    /// Every run, the latest first. A run becomes visible a moment after it starts.
    ///
    /// # Errors
    ///
    /// When Temporal does not answer.
    pub async fn workflows(&self) -> Result<Vec<Execution>, AdminError> {
        list_workflow_ids(&self.client).await
    }

    /// The history of the latest run of a workflow, as JSON text, with its payloads decrypted.
    ///
    /// # Errors
    ///
    /// When there is no such workflow, Temporal does not answer, or a payload was encrypted with
    /// another key than the environment's.
    pub async fn history(&self, workflow_id: &str) -> Result<String, AdminError> {
        self.decoded(workflow_id, &self.raw_history(workflow_id).await?)
    }

    /// The history `json` of a workflow with its payloads decrypted.
    pub(super) fn decoded(&self, workflow_id: &str, json: &str) -> Result<String, AdminError> {
        decode_history(json, &self.keys).map_err(|error| AdminError {
            what: format!("read the history of workflow {workflow_id:?}"),
            cause: error.to_string(),
        })
    }

    /// The same with its payloads as Temporal keeps them.
    ///
    /// # Errors
    ///
    /// When there is no such workflow, or Temporal does not answer.
    pub async fn raw_history(&self, workflow_id: &str) -> Result<String, AdminError> {
        history_json(&self.client, workflow_id, None).await
    }

    /// Sends a signal with one value to the running run of a workflow.
    ///
    /// # Errors
    ///
    /// When there is no such run, or Temporal does not answer.
    pub async fn signal(
        &self,
        workflow_id: &str,
        signal: &str,
        value: &Value,
    ) -> Result<(), SignalError> {
        let arguments = Arguments::none()
            .with(value)
            .expect("a JSON value has a JSON form");
        signal_workflow(&self.client, workflow_id, signal, arguments).await
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
        let mut lines = Vec::new();
        for (queue, kind) in QUEUES {
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
