use super::*;
use crate::{executions::sweep::sweep, pipeline::steps};

async fn swept(bench: &Bench, id: &str, state: RunState) -> AgentExecution {
    bench.says(id, state);
    sweep::<AgentExecution>(&bench.state, bench.temporal.as_ref()).await;
    bench.read(id).await
}

#[tokio::test]
async fn a_running_workflow_is_left_alone() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    bench.report(&id, Phase::InProgress).await.unwrap();
    let before = bench.read(&id).await;
    assert_eq!(swept(&bench, &id, RunState::Running).await, before);
}

#[tokio::test]
async fn a_fresh_execution_without_a_workflow_is_started() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let execution = swept(&bench, &id, RunState::Gone(Gone::Unknown)).await;
    assert_eq!(execution.current_phase(), Phase::Pending);
    let started: Vec<_> = bench.started().iter().map(|e| e.id().to_owned()).collect();
    assert_eq!(started, [id.clone(), id]);
}

#[tokio::test]
async fn an_old_execution_without_a_workflow_fails_and_is_not_started() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let mut old = bench.read(&id).await;
    let audit = old.audit_mut().spec_audit.as_mut().unwrap();
    audit.created_at.as_mut().unwrap().seconds -= 3600;
    bench
        .state
        .store
        .write(move |tx| steps::persist(tx, &old))
        .await
        .unwrap();
    let execution = swept(&bench, &id, RunState::Gone(Gone::Unknown)).await;
    assert_eq!(execution.current_phase(), Phase::Failed);
    assert_eq!(bench.started().len(), 1);
}

#[tokio::test]
async fn every_execution_whose_workflow_is_gone_ends_with_a_cause() {
    let bench = Bench::new().await;
    for (gone, phase, cause) in [
        (Gone::Unknown, Phase::Failed, "history is lost"),
        (Gone::Closed, Phase::Failed, "without saying"),
        (Gone::TimedOut, Phase::Failed, "too long"),
        (Gone::Cancelled, Phase::Cancelled, "cancelled or terminated"),
    ] {
        let id = bench.pending().await;
        bench.report(&id, Phase::InProgress).await.unwrap();
        let execution = swept(&bench, &id, RunState::Gone(gone)).await;
        assert_eq!(execution.current_phase(), phase, "{gone:?}");
        let status = execution.status.unwrap();
        assert!(status.error.contains(cause), "{}", status.error);
        assert!(!status.completed_at.is_empty());
    }
}

#[tokio::test]
async fn what_temporal_cannot_tell_waits_for_the_next_sweep() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    sweep::<AgentExecution>(&bench.state, bench.temporal.as_ref()).await;
    assert_eq!(bench.read(&id).await.current_phase(), Phase::Pending);
}

#[tokio::test]
async fn a_sweep_reaches_every_page() {
    let bench = Bench::new().await;
    for _ in 0..101 {
        let id = bench.pending().await;
        bench.says(&id, RunState::Gone(Gone::Closed));
    }
    sweep::<AgentExecution>(&bench.state, bench.temporal.as_ref()).await;
    let rows = bench
        .state
        .list::<AgentExecution>(Default::default())
        .await
        .unwrap()
        .rows;
    assert_eq!(rows.len(), 101);
    assert!(rows.iter().all(|row| row.current_phase() == Phase::Failed));
}

#[tokio::test]
async fn a_reconnection_sweeps_at_once_and_catches_up_on_cancellations() {
    let bench = Bench::new().await;
    bench.temporal.fail_cancellations(true);
    let id = bench.pending().await;
    bench.says(&id, RunState::Gone(Gone::Closed));
    bench.state.abandoned.add("the-workflow".to_owned());
    bench.test.connection.send_replace(None);
    let sweeper = tokio::spawn(keep_sweeping(bench.state.clone()));
    tokio::task::yield_now().await;
    assert_eq!(bench.read(&id).await.current_phase(), Phase::Pending);

    bench.connect();
    until("the execution is ended", async || {
        bench.read(&id).await.current_phase() == Phase::Failed
    })
    .await;
    assert_eq!(bench.temporal.cancelled(), Vec::<String>::new());
    bench.temporal.fail_cancellations(false);
    bench.test.connection.send_replace(None);
    bench.connect();
    until("the workflow is cancelled", async || {
        bench.temporal.cancelled() == ["the-workflow"]
    })
    .await;
    bench.state.stopping.cancel();
    timeout(LIMIT, sweeper)
        .await
        .expect("the sweeper stops")
        .unwrap();
}

#[tokio::test]
async fn a_start_that_nobody_knows_of_is_looked_at_again() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    bench
        .temporal
        .refuse(StartFailure::Unknown("no answer".to_owned()));
    let execution = swept(&bench, &id, RunState::Gone(Gone::Unknown)).await;
    assert_eq!(execution.current_phase(), Phase::Pending);
    bench
        .temporal
        .refuse(StartFailure::Refused("too large".to_owned()));
    let execution = swept(&bench, &id, RunState::Gone(Gone::Unknown)).await;
    assert_eq!(execution.current_phase(), Phase::Failed);
    assert_eq!(execution.status.unwrap().error, "too large");
}
