use stigmer_api::{
    ApiResourceId,
    workflow_execution::{
        ExecutionPhase, WorkflowExecutionStatus, WorkflowExecutionUpdateStatusInput,
    },
};
use tokio::{task::JoinHandle, time::timeout};

use super::*;
use crate::executions::{Execution as _, keep_sweeping};

const LIMIT: Duration = Duration::from_secs(10);

async fn report(
    bench: &Bench,
    id: &str,
    phase: ExecutionPhase,
) -> Result<WorkflowExecution, StepError> {
    let input = WorkflowExecutionUpdateStatusInput {
        execution_id: id.to_owned(),
        status: Some(WorkflowExecutionStatus {
            phase: phase as i32,
            ..Default::default()
        }),
    };
    execution::update_status(&bench.state, input).await
}

fn sweeper(bench: &Bench) -> JoinHandle<()> {
    tokio::spawn(keep_sweeping(bench.state.clone()))
}

/// Waits until the workflow of this execution, and nothing else, was cancelled `times` times.
async fn cancelled(bench: &Bench, id: &str, times: usize) {
    let wanted = vec![WorkflowExecution::workflow_id(id); times];
    let waiting = async {
        while bench.temporal.cancelled() != wanted {
            tokio::task::yield_now().await;
        }
    };
    let met = timeout(LIMIT, waiting).await;
    assert!(met.is_ok(), "{:?}", bench.temporal.cancelled());
}

#[tokio::test]
async fn who_writes_cancelled_ends_the_work() {
    let bench = Bench::new();
    let sweeping = sweeper(&bench);
    let id = bench.pending().await.id().to_owned();
    report(&bench, &id, ExecutionPhase::ExecutionInProgress)
        .await
        .unwrap();
    assert!(bench.temporal.cancelled().is_empty());
    let stored = report(&bench, &id, ExecutionPhase::ExecutionCancelled)
        .await
        .unwrap();
    let status = stored.status.unwrap();
    assert_eq!(
        (status.phase(), status.error.as_str()),
        (ExecutionPhase::ExecutionCancelled, "cancelled")
    );
    assert!(!status.completed_at.is_empty());
    cancelled(&bench, &id, 1).await;
    sweeping.abort();
}

#[tokio::test]
async fn a_runner_that_still_works_on_what_was_cancelled_is_told_again() {
    let bench = Bench::new();
    let sweeping = sweeper(&bench);
    let id = bench.pending().await.id().to_owned();
    report(&bench, &id, ExecutionPhase::ExecutionCancelled)
        .await
        .unwrap();
    cancelled(&bench, &id, 1).await;
    let late = report(&bench, &id, ExecutionPhase::ExecutionInProgress).await;
    assert_eq!(status_of(late).code(), Code::FailedPrecondition);
    cancelled(&bench, &id, 2).await;
    sweeping.abort();
}

#[tokio::test]
async fn a_deleted_execution_ends_and_no_report_brings_it_back() {
    let bench = Bench::new();
    let sweeping = sweeper(&bench);
    let id = bench.pending().await.id().to_owned();
    let target = ApiResourceId { value: id.clone() };
    execution::delete::<WorkflowExecution>(&bench.state, target)
        .await
        .unwrap();
    cancelled(&bench, &id, 1).await;
    let late = report(&bench, &id, ExecutionPhase::ExecutionCompleted).await;
    assert_eq!(status_of(late).code(), Code::NotFound);
    cancelled(&bench, &id, 2).await;
    assert_eq!(bench.count::<WorkflowExecution>().await, 0);
    sweeping.abort();
}

#[tokio::test]
async fn a_finished_execution_is_not_cancelled_by_its_deletion_or_a_late_report() {
    let bench = Bench::new();
    let id = bench.pending().await.id().to_owned();
    report(&bench, &id, ExecutionPhase::ExecutionCompleted)
        .await
        .unwrap();
    let late = report(&bench, &id, ExecutionPhase::ExecutionCancelled).await;
    assert_eq!(status_of(late).code(), Code::FailedPrecondition);
    let target = ApiResourceId { value: id };
    execution::delete::<WorkflowExecution>(&bench.state, target)
        .await
        .unwrap();
    // What is to be cancelled is cancelled before anything else is done.
    let sweeping = sweeper(&bench);
    let other = bench.pending().await.id().to_owned();
    report(&bench, &other, ExecutionPhase::ExecutionCancelled)
        .await
        .unwrap();
    cancelled(&bench, &other, 1).await;
    sweeping.abort();
}
