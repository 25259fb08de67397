use futures::{Stream, StreamExt as _};
use stigmer_api::agent_execution::AgentMessage;
use tonic::{Code, Status};

use super::*;
use crate::mask::HIDDEN;

async fn subscribed(
    bench: &Bench,
    id: &str,
) -> impl Stream<Item = Result<AgentExecution, Status>> + Unpin + use<> {
    let stopping = bench.state.stopping.clone();
    let subscription = subscribe(
        &bench.state.store,
        &bench.state.brokers.agent_executions,
        id.to_owned(),
        stopping,
    )
    .await;
    Box::pin(subscription.expect("the execution exists").into_stream())
}

/// Everything that the stream gives until it ends.
async fn all(
    stream: impl Stream<Item = Result<AgentExecution, Status>> + Unpin,
) -> Vec<AgentExecution> {
    let items = timeout(LIMIT, stream.collect::<Vec<_>>())
        .await
        .expect("the stream ends");
    items
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("the stream ends with OK")
}

async fn next(
    stream: &mut (impl Stream<Item = Result<AgentExecution, Status>> + Unpin),
) -> Option<Result<AgentExecution, Status>> {
    timeout(LIMIT, stream.next())
        .await
        .expect("the stream goes on")
}

fn phases(snapshots: &[AgentExecution]) -> Vec<Phase> {
    let mut phases: Vec<_> = snapshots.iter().map(Execution::current_phase).collect();
    phases.dedup();
    phases
}

fn messages(execution: &AgentExecution) -> usize {
    execution
        .status
        .as_ref()
        .map_or(0, |status| status.messages.len())
}

/// Reports `count` growing lists of messages, and then the end.
async fn run_to_end(bench: &Bench, id: &str, count: usize) {
    for length in 1..=count {
        let status = AgentExecutionStatus {
            phase: Phase::InProgress.number(),
            messages: vec![
                AgentMessage {
                    r#type: 2,
                    ..Default::default()
                };
                length
            ],
            ..Default::default()
        };
        update_status::<AgentExecution>(&bench.state.store, id.to_owned(), status)
            .await
            .unwrap();
    }
    bench.report(id, Phase::Completed).await.unwrap();
}

#[tokio::test]
async fn a_watcher_sees_the_state_now_and_every_change_until_the_end() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let stream = subscribed(&bench, &id).await;
    run_to_end(&bench, &id, 3).await;
    let seen = all(stream).await;
    assert_eq!(
        phases(&seen),
        [Phase::Pending, Phase::InProgress, Phase::Completed]
    );
    assert_eq!(
        seen.iter().map(messages).collect::<Vec<_>>(),
        [0, 1, 2, 3, 3]
    );
    let env = &seen[0].spec.as_ref().unwrap().runtime_env;
    assert_eq!(env["TOKEN"].value, HIDDEN);
}

#[tokio::test]
async fn what_has_ended_gives_one_snapshot_and_the_end() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    bench.report(&id, Phase::Failed).await.unwrap();
    let seen = all(subscribed(&bench, &id).await).await;
    assert_eq!(phases(&seen), [Phase::Failed]);
    assert_eq!(seen.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_update_around_the_subscription_is_lost() {
    let bench = Arc::new(Bench::new().await);
    for round in 0..500_usize {
        let id = bench.pending().await;
        let runner = tokio::spawn({
            let (bench, id) = (Arc::clone(&bench), id.clone());
            async move { run_to_end(&bench, &id, round % 4).await }
        });
        for _ in 0..round % 7 {
            tokio::task::yield_now().await;
        }
        let seen = all(subscribed(&bench, &id).await).await;
        runner.await.unwrap();
        assert_eq!(
            seen.last(),
            Some(&crate::mask::Outgoing::masked(bench.read(&id).await)),
            "round {round}"
        );
        assert!(
            seen.is_sorted_by_key(Execution::current_phase),
            "round {round}: {:?}",
            phases(&seen)
        );
        assert!(seen.is_sorted_by_key(messages), "round {round}");
    }
}

#[tokio::test]
async fn a_slow_reader_skips_snapshots_but_no_phase() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let stream = subscribed(&bench, &id).await;
    run_to_end(&bench, &id, 300).await;
    let seen = all(stream).await;
    assert!(seen.len() < 100, "{} snapshots were kept", seen.len());
    assert_eq!(
        phases(&seen),
        [Phase::Pending, Phase::InProgress, Phase::Completed]
    );
    assert!(seen.is_sorted_by_key(messages));
    assert_eq!(messages(&seen[seen.len() - 1]), 300);
}

#[tokio::test]
async fn watchers_do_not_disturb_each_other() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let mut early = subscribed(&bench, &id).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(subscribed(&bench, &id).await);
    }
    next(&mut early).await.unwrap().unwrap();
    drop(early);
    run_to_end(&bench, &id, 2).await;
    for other in others {
        assert_eq!(
            phases(&all(other).await),
            [Phase::Pending, Phase::InProgress, Phase::Completed]
        );
    }
}

#[tokio::test]
async fn the_stream_of_a_deleted_execution_ends_with_not_found() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let mut stream = subscribed(&bench, &id).await;
    next(&mut stream).await.unwrap().unwrap();
    let delete = id.clone();
    bench
        .state
        .store
        .write(move |tx| pipeline::delete::<AgentExecution>(tx, &delete))
        .await
        .unwrap();
    let status = next(&mut stream).await.unwrap().expect_err("it is gone");
    assert_eq!(status.code(), Code::NotFound);
    assert!(next(&mut stream).await.is_none());
}

#[tokio::test]
async fn streams_end_with_unavailable_when_the_server_stops() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let mut stream = subscribed(&bench, &id).await;
    next(&mut stream).await.unwrap().unwrap();
    bench.state.stopping.cancel();
    let status = next(&mut stream)
        .await
        .unwrap()
        .expect_err("the server stops");
    assert_eq!(status.code(), Code::Unavailable);
    assert!(next(&mut stream).await.is_none());
}

#[tokio::test]
async fn an_end_by_the_server_is_seen_too() {
    let bench = Bench::new().await;
    let id = bench.pending().await;
    let stream = subscribed(&bench, &id).await;
    let last = AgentExecutionStatus {
        phase: Phase::Failed.number(),
        error: "no worker".to_owned(),
        ..Default::default()
    };
    conclude::<AgentExecution>(&bench.state.store, id.clone(), last)
        .await
        .unwrap();
    let seen = all(stream).await;
    assert_eq!(phases(&seen), [Phase::Pending, Phase::Failed]);
    assert_eq!(seen[1].status.as_ref().unwrap().error, "no worker");
}
