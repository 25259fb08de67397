//! The workflow behind a workflow execution: it has the workflow-runner run the tasks, and sees to it
//! that the execution ends and that nothing of it goes on then.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};
use stigmer_api::{
    temporal_names::{self, MEMO_ACTIVITY_TASK_QUEUE, WORKFLOW_EXECUTION_RUNNER},
    workflow_execution::{WorkflowExecution, WorkflowExecutionStatus},
};
use stigmer_temporal::Proto;
use temporalio_common::data_converters::RawValue;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowResult};

use super::{
    activities::WorkflowExecutionActivities,
    calls::{self, ExecuteWorkflow},
    ending::{self, Broken, WRITE_LIMIT},
};

/// When Temporal ends the workflow. No code runs then, so it comes after all that the workflow may
/// wait for itself.
pub const RUN_TIMEOUT: Duration =
    Duration::from_secs(calls::LONGEST_WORKFLOW.as_secs() + WRITE_LIMIT.as_secs() + 60);

/// `stigmer/workflow-execution/invoke`.
#[workflow]
#[derive(Default)]
pub struct RunWorkflowExecution;

#[workflow_methods]
impl RunWorkflowExecution {
    /// Runs one execution to its end. Fails when the runner did not get to report one; an execution
    /// that the runner reports as FAILED is a success of the workflow.
    #[run(name = temporal_names::workflow::WORKFLOW_EXECUTION)]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: RawValue) -> WorkflowResult<()> {
        let Proto(execution): Proto<WorkflowExecution> =
            ending::read(ctx.payload_converter(), input)?;
        let execution_id = execution.metadata.clone().unwrap_or_default().id;
        let task_queue = match ctx.memo().get::<String>(MEMO_ACTIVITY_TASK_QUEUE)? {
            Some(queue) => queue,
            None => WORKFLOW_EXECUTION_RUNNER.default.to_owned(),
        };
        let ran = call_runner(ctx, &execution_id, execution, &task_queue).await;
        let (last, broken) = match ran {
            Ok(status) => (status, None),
            Err(broken) => (broken.status(), Some(broken)),
        };
        ctx.execute_local_activity(
            WorkflowExecutionActivities::update_execution_status,
            (execution_id, Proto(last)),
            ending::write_options(),
        )
        .await?;
        match broken {
            None => Ok(()),
            Some(broken) => Err(broken.termination()),
        }
    }
}

async fn call_runner(
    ctx: &WorkflowContext<RunWorkflowExecution>,
    execution_id: &str,
    execution: WorkflowExecution,
    task_queue: &str,
) -> Result<WorkflowExecutionStatus, Broken> {
    let mut call = pin!(ctx.execute_activity(
        ExecuteWorkflow,
        Proto(execution),
        ExecuteWorkflow::options(task_queue),
    ));
    let cancelled = pin!(ctx.cancelled());
    let result = match select(&mut call, cancelled).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => {
            // At once and without the runner, which may be away; it tells how far the tasks came.
            cancel_tasks(ctx, execution_id).await;
            call.await
        }
    };
    match result {
        Ok(Proto(status)) => Ok(status),
        Err(error) => {
            // Without a runner that attends them, the tasks would still go on once there is one.
            cancel_tasks(ctx, execution_id).await;
            let callee = ExecuteWorkflow::callee(task_queue);
            Err(Broken::new(ctx, &callee, &error))
        }
    }
}

/// Cancels the workflow that runs the tasks, if there is one.
async fn cancel_tasks(ctx: &WorkflowContext<RunWorkflowExecution>, execution_id: &str) {
    let workflow_id = temporal_names::serverless_workflow_id(execution_id);
    let tasks = ctx.external_workflow(workflow_id, None);
    // One that has ended, or never began, is fine.
    let _ = tasks
        .cancel(Some("the execution has ended".to_owned()))
        .await;
}
