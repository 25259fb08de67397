//! Telling the server how the tasks stand while the workflow runs.
//!
//! One report is under way at a time and holds the whole record; what changes meanwhile goes into
//! the next. A workflow that never waits reports nothing: its end tells everything.

use std::{future::poll_fn, pin::pin, rc::Rc, task::Poll, time::Duration};

use futures_util::future::{FutureExt as _, LocalBoxFuture};
use stigmer_api::workflow_execution::{
    WorkflowExecutionStatus, WorkflowExecutionUpdateStatusInput,
};
use temporalio_common::{RetryPolicy, data_converters::ProstSerializable};
use temporalio_sdk::{LocalActivityOptions, WorkflowCancellationToken, WorkflowContext};

use super::{ServerlessWorkflow, effects::TemporalEffects};
use crate::{activities::ProgressActivities, engine::interpret::Interpreter};

/// How long a report may take. It holds up the workflow task it is part of.
const LIMIT: Duration = Duration::from_secs(3);

/// Runs `run` and reports whatever it changes. No report is under way when this ends, so that none
/// can come after the last word on the execution.
pub(super) async fn while_running<T>(
    ctx: &WorkflowContext<ServerlessWorkflow>,
    effects: &TemporalEffects,
    interpreter: &Rc<Interpreter>,
    execution_id: &str,
    run: impl Future<Output = T>,
) -> T {
    let mut run = pin!(run);
    if execution_id.is_empty() {
        return run.await;
    }
    let mut report: Option<LocalBoxFuture<'_, ()>> = None;
    let result = poll_fn(|cx| {
        if let Poll::Ready(result) = run.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        loop {
            if let Some(under_way) = &mut report {
                if under_way.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                report = None;
            }
            if !effects.take_changed() {
                return Poll::Pending;
            }
            report = Some(send(ctx, execution_id, interpreter));
        }
    })
    .await;
    if let Some(report) = report {
        report.await;
    }
    result
}

fn send<'a>(
    ctx: &'a WorkflowContext<ServerlessWorkflow>,
    execution_id: &str,
    interpreter: &Interpreter,
) -> LocalBoxFuture<'a, ()> {
    // The phase is left as it is: only the end of the execution decides it.
    let status = WorkflowExecutionStatus {
        tasks: interpreter.tasks(),
        ..Default::default()
    };
    let report = WorkflowExecutionUpdateStatusInput {
        execution_id: execution_id.to_owned(),
        status: Some(status),
    };
    let options = LocalActivityOptions::builder()
        .schedule_to_close_timeout(LIMIT)
        .retry_policy(RetryPolicy::builder().maximum_attempts(1).build())
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    let report = ctx.execute_local_activity(
        ProgressActivities::report,
        ProstSerializable(report),
        options,
    );
    // A lost report is made good by the next one, and by the end.
    report.map(|_| ()).boxed_local()
}
