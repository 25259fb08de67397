//! A namespace as seen from outside: creating one, its pollers, its workflows, their histories.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures::TryStreamExt;
use temporalio_client::{
    Client, NamespacedClient, UntypedWorkflow, WorkflowExecutionInfo, WorkflowFetchHistoryOptions,
    WorkflowHandle, WorkflowListOptions,
};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::TaskQueueType,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        DescribeTaskQueueRequest, DescribeWorkflowExecutionRequest, RegisterNamespaceRequest,
    },
};
use tokio::time::timeout;
use tonic::IntoRequest;

use crate::{error_text, in_namespace};

const LIMIT: Duration = Duration::from_secs(10);

/// Temporal did not do or tell what was asked.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what}: {cause}")]
pub struct AdminError {
    /// What was asked, such as `create namespace "run-1"`.
    pub what: String,
    /// What was answered.
    pub cause: String,
}

/// Which tasks of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Workflow tasks.
    Workflow,
    /// Activity tasks.
    Activity,
}

/// A worker that polls a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct PollerInfo {
    /// Its identity: that of its client and a part of its own, such as `stigmer-server@4711/5c0e…`.
    pub identity: String,
    /// Its last poll, in seconds since the epoch.
    pub last_access: i64,
    /// Its build id, or an empty text.
    pub build_id: String,
}

/// One run of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// The workflow id.
    pub workflow_id: String,
    /// The run id.
    pub run_id: String,
    /// The workflow type.
    pub workflow_type: String,
    /// The queue it was started on.
    pub task_queue: String,
    /// `Running`, `Completed`, `Failed`, `Canceled`, `Terminated`, `ContinuedAsNew` or `TimedOut`.
    pub status: String,
}

/// Creates a namespace on the Temporal that `client` is connected to and returns once it can be
/// used. Histories are kept for `retention` after a run ends.
pub async fn create_namespace(
    client: &Client,
    name: &str,
    retention: Duration,
) -> Result<(), AdminError> {
    let what = || format!("create namespace {name:?}");
    let request = RegisterNamespaceRequest {
        namespace: name.to_owned(),
        // Only a span of billions of years does not fit, and then Temporal uses its default.
        workflow_execution_retention_period: retention.try_into().ok(),
        ..Default::default()
    };
    let mut service = client.connection().workflow_service();
    bounded(what, async {
        service
            .register_namespace(request.into_request())
            .await
            .map_err(|s| error_text::status(&s))
    })
    .await?;
    // Temporal remembers for a second that a namespace was missing when somebody asked before.
    let created = in_namespace(client, name);
    let used = || pollers(&created, "any", QueueKind::Workflow);
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(10))
        .with_max_delay(Duration::from_millis(200))
        .without_max_times();
    bounded(what, async { Ok(used.retry(backoff).await) })
        .await?
        .map(drop)
}

/// Who polls a queue of the client's namespace. A poller is forgotten some minutes after its last
/// poll, so it being listed does not prove that it lives; see [`crate::ping`].
pub async fn pollers(
    client: &Client,
    task_queue: &str,
    kind: QueueKind,
) -> Result<Vec<PollerInfo>, AdminError> {
    let what = || format!("describe task queue {task_queue:?}");
    let request = DescribeTaskQueueRequest {
        namespace: client.namespace(),
        task_queue: Some(TaskQueue {
            name: task_queue.to_owned(),
            ..Default::default()
        }),
        task_queue_type: match kind {
            QueueKind::Workflow => TaskQueueType::Workflow,
            QueueKind::Activity => TaskQueueType::Activity,
        } as i32,
        ..Default::default()
    };
    let mut service = client.connection().workflow_service();
    let answer = bounded(what, async {
        service
            .describe_task_queue(request.into_request())
            .await
            .map_err(|s| error_text::status(&s))
    })
    .await?;
    let pollers = answer
        .into_inner()
        .pollers
        .into_iter()
        .map(|poller| PollerInfo {
            identity: poller.identity,
            last_access: poller.last_access_time.map_or(0, |time| time.seconds),
            build_id: poller
                .deployment_options
                .map_or_else(String::new, |options| options.build_id),
        });
    Ok(pollers.collect())
}

/// The attempt that Temporal is at with an activity: one that runs, or the next. `None` when it waits
/// for no attempt any more.
pub async fn pending_attempt(
    client: &Client,
    workflow_id: &str,
    activity_id: &str,
) -> Result<Option<u32>, AdminError> {
    let what = || format!("describe workflow {workflow_id:?}");
    let request = DescribeWorkflowExecutionRequest {
        namespace: client.namespace(),
        execution: Some(WorkflowExecution {
            workflow_id: workflow_id.to_owned(),
            run_id: String::new(),
        }),
    };
    let mut service = client.connection().workflow_service();
    let answer = bounded(what, async {
        service
            .describe_workflow_execution(request.into_request())
            .await
            .map_err(|s| error_text::status(&s))
    })
    .await?;
    let mut pending = answer.into_inner().pending_activities.into_iter();
    let activity = pending.find(|activity| activity.activity_id == activity_id);
    Ok(activity.map(|activity| u32::try_from(activity.attempt).unwrap_or_default()))
}

/// Every run of the client's namespace, the latest first. Runs become visible a moment after they
/// start.
pub async fn list_workflow_ids(client: &Client) -> Result<Vec<Execution>, AdminError> {
    let what = || format!("list the workflows of namespace {:?}", client.namespace());
    let listed = client
        .list_workflows("", WorkflowListOptions::default())
        .map_ok(|execution| Execution {
            workflow_id: execution.id().to_owned(),
            run_id: execution.run_id().to_owned(),
            workflow_type: execution.workflow_type().to_owned(),
            task_queue: execution.task_queue().to_owned(),
            status: format!("{:?}", execution.status()),
        });
    bounded(what, async {
        listed
            .try_collect()
            .await
            .map_err(|e| error_text::chain(&e))
    })
    .await
}

/// The whole history of a run as JSON text, in the form that the SDK's replayer reads. Without
/// `run_id`, the latest run.
pub async fn history_json(
    client: &Client,
    workflow_id: &str,
    run_id: Option<&str>,
) -> Result<String, AdminError> {
    let what = || format!("fetch the history of workflow {workflow_id:?}");
    let info = WorkflowExecutionInfo::builder()
        .namespace(client.namespace())
        .workflow_id(workflow_id)
        .maybe_run_id(run_id.map(str::to_owned))
        .build();
    let handle = WorkflowHandle::<_, UntypedWorkflow>::new(client.clone(), info);
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    bounded(what, async {
        let bytes = history.to_json().await.map_err(|e| error_text::chain(&e))?;
        String::from_utf8(bytes).map_err(|e| e.to_string())
    })
    .await
}

async fn bounded<T>(
    what: impl Fn() -> String,
    call: impl Future<Output = Result<T, String>>,
) -> Result<T, AdminError> {
    timeout(LIMIT, call)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())))
        .map_err(|cause| AdminError {
            what: what(),
            cause,
        })
}
