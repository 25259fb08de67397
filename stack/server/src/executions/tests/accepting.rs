use stigmer_api::execution_context::ExecutionValue;
use tonic::{Code, Status};

use super::*;
use crate::kinds;

fn status_of<T: std::fmt::Debug>(result: Result<T, StepError>) -> Status {
    result.expect_err("it is refused").into()
}

#[tokio::test]
async fn an_accepted_execution_is_pending_and_started_with_its_secrets() {
    let bench = Bench::new().await;
    let accepted = accept(&bench.state, bench.request()).await.unwrap();
    assert_eq!(accepted.current_phase(), Phase::Pending);
    let started = bench.started();
    let [started] = started.as_slice() else {
        panic!("one start, got {started:?}")
    };
    assert_eq!(started.id(), accepted.id());
    let value =
        |execution: &AgentExecution| execution.spec.as_ref().unwrap().runtime_env["TOKEN"].clone();
    let given = ExecutionValue {
        value: "marker".to_owned(),
        is_secret: true,
    };
    assert_eq!(value(started), given);
    assert_eq!(value(&bench.read(accepted.id()).await), given);
}

#[tokio::test]
async fn what_does_not_start_is_refused_and_leaves_neither_execution_nor_session() {
    for (failure, code, cause) in [
        (None, Code::Unavailable, "Temporal is not connected"),
        (
            Some(StartFailure::Refused("no such queue".to_owned())),
            Code::Internal,
            "no such queue",
        ),
        // What Temporal does not take is the caller's mistake.
        (
            Some(StartFailure::TooLarge("shorten it".to_owned())),
            Code::InvalidArgument,
            "shorten it",
        ),
    ] {
        let bench = Bench::new().await;
        match failure {
            None => drop(bench.test.connection.send_replace(None)),
            Some(failure) => bench.temporal.refuse(failure),
        }
        let status = status_of(accept(&bench.state, bench.request()).await);
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(cause), "{status:?}");
        assert_eq!(bench.executions_and_sessions().await, (0, 0));
    }
}

#[tokio::test]
async fn a_refused_start_keeps_the_session_that_the_caller_named() {
    let bench = Bench::new().await;
    let first = bench.pending().await;
    let mut request = bench.request();
    request.spec.as_mut().unwrap().session_id = bench.read(&first).await.spec.unwrap().session_id;
    bench
        .temporal
        .refuse(StartFailure::Refused("no".to_owned()));
    accept(&bench.state, request).await.unwrap_err();
    assert_eq!(bench.executions_and_sessions().await, (1, 1));
}

#[tokio::test]
async fn a_start_that_may_have_happened_fails_the_execution_and_ends_its_workflow() {
    let bench = Bench::new().await;
    let sweeper = tokio::spawn(keep_sweeping(bench.state.clone()));
    bench
        .temporal
        .refuse(StartFailure::Unknown("no answer".to_owned()));
    assert_eq!(
        status_of(accept(&bench.state, bench.request()).await).code(),
        Code::Internal
    );
    let rows = bench
        .state
        .list::<AgentExecution>(Default::default())
        .await
        .unwrap()
        .rows;
    let [row] = rows.as_slice() else {
        panic!("one row, got {rows:?}")
    };
    let status = row.status.as_ref().unwrap();
    assert_eq!(
        (row.current_phase(), status.error.as_str()),
        (Phase::Failed, "no answer")
    );
    until("the workflow is cancelled", async || {
        bench.temporal.cancelled() == [AgentExecution::workflow_id(row.id())]
    })
    .await;
    bench.state.stopping.cancel();
    timeout(LIMIT, sweeper)
        .await
        .expect("the sweeper stops")
        .unwrap();
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_stop_the_start() {
    let bench = Bench::new().await;
    let mut call = Box::pin(accept(&bench.state, bench.request()));
    // Polled once, the request is on its way; then its caller is gone.
    assert!(futures::poll!(&mut call).is_pending());
    drop(call);
    until("the execution is started", async || {
        bench.started().len() == 1
    })
    .await;
    assert_eq!(bench.count::<AgentExecution>().await, 1);
}

#[tokio::test]
async fn deleting_a_running_execution_ends_its_workflow_and_no_write_brings_it_back() {
    let bench = Bench::new().await;
    let sweeper = tokio::spawn(keep_sweeping(bench.state.clone()));
    let id = bench.pending().await;
    bench.says(&id, RunState::Running);
    let input = stigmer_api::ApiResourceId { value: id.clone() };
    kinds::execution::delete::<AgentExecution>(&bench.state, input)
        .await
        .unwrap();
    until("the workflow is cancelled", async || {
        bench.temporal.cancelled() == [AgentExecution::workflow_id(&id)]
    })
    .await;
    assert_eq!(
        status_of(bench.report(&id, Phase::InProgress).await).code(),
        Code::NotFound
    );
    let last = AgentExecutionStatus {
        phase: 3,
        ..Default::default()
    };
    let concluded = conclude::<AgentExecution>(&bench.state.store, id, last)
        .await
        .unwrap();
    assert_eq!(concluded, None);
    assert_eq!(bench.count::<AgentExecution>().await, 0);
    bench.state.stopping.cancel();
    timeout(LIMIT, sweeper)
        .await
        .expect("the sweeper stops")
        .unwrap();
}

#[tokio::test]
async fn a_phase_that_cannot_follow_is_refused_by_name() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    bench.report(&id, Phase::Completed).await.unwrap();
    let status = status_of(bench.report(&id, Phase::InProgress).await);
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains(&id), "{}", status.message());
    assert_eq!(bench.read(&id).await.current_phase(), Phase::Completed);
}
