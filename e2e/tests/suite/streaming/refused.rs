//! Streams that end otherwise than with the execution.

use std::time::{Duration, Instant};

use stigmer_api::{
    agent_execution::{AgentExecution, ExecutionPhase},
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{CallError, Environment, budget::WF, story};
use tonic::Code;

use super::{
    watching::{AT_ONCE, next, subscribed},
    workflows::{start_gated, with_workflow},
};
use crate::then::{self, Execution};

/// How a subscription to `id` is refused, be it at once or in place of the first message.
async fn refusal<E: Execution>(env: &Environment, id: &str) -> CallError {
    let start = Instant::now();
    let error = match env.api().subscribe::<E>(id).await {
        Err(error) => error,
        Ok(mut watch) => match watch.next().await {
            Err(error) => error,
            Ok(message) => panic!("{id:?} can be watched: {message:?}"),
        },
    };
    assert!(
        start.elapsed() < AT_ONCE.limit,
        "the refusal took {:?}",
        start.elapsed()
    );
    error
}

#[test]
fn str_07_an_unknown_and_an_empty_id_are_refused_at_once() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let unknown = ["wex", "aex"].map(|kind| format!("{kind}-01arz3ndektsv4rrffq69g5fav"));
        let errors = [
            refusal::<WorkflowExecution>(&env, &unknown[0]).await,
            refusal::<AgentExecution>(&env, &unknown[1]).await,
        ];
        for (error, id) in errors.iter().zip(&unknown) {
            assert_eq!(error.code(), Code::NotFound, "{error}");
            assert!(
                error.status.message().contains(id),
                "the id is not named: {error}"
            );
        }
        for error in [
            refusal::<WorkflowExecution>(&env, "").await,
            refusal::<AgentExecution>(&env, "").await,
        ] {
            assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        }
        Ok(())
    });
}

#[test]
fn str_08_a_server_that_is_killed_ends_the_stream_and_knows_the_truth_afterwards() {
    story(async |t| {
        let (env, workflow) = with_workflow(&t).await?;
        let (id, gate) = start_gated(&env, &workflow, "interrupted").await?;
        let (mut watch, _) = subscribed::<WorkflowExecution>(&env, &id).await?;
        t.step("kill the server");
        env.server().kill9().await?;
        let killed = Instant::now();
        let error = loop {
            match tokio::time::timeout(Duration::from_secs(5), watch.next()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => panic!("the stream ended as if the execution was over"),
                Ok(Err(error)) => break error,
                Err(_) => panic!(
                    "the stream still hangs {:?} after the kill",
                    killed.elapsed()
                ),
            }
        };
        assert!(killed.elapsed() < Duration::from_secs(5));
        assert_ne!(error.code(), Code::Ok);
        t.step("start it again: the execution is where it was");
        env.server().start_again().await?;
        let execution: WorkflowExecution = env.api().get(&id).await?;
        assert_eq!(execution.phase(), ExecutionPhase::ExecutionInProgress);
        t.step("and goes on to its end");
        gate.open();
        then::workflow::completed(&env, &id, WF).await?;
        assert_eq!(env.hub().received().len(), 1, "the call was made again");
        Ok(())
    });
}

#[test]
fn str_11_a_deadline_shorter_than_the_run_ends_the_stream_and_names_the_phase() {
    story(async |t| {
        const DEADLINE: Duration = Duration::from_millis(700);
        let (env, workflow) = with_workflow(&t).await?;
        let (id, gate) = start_gated(&env, &workflow, "too-long").await?;
        let impatient = env.api().with_deadline(DEADLINE);
        let start = Instant::now();
        let mut watch = impatient.subscribe_within::<WorkflowExecution>(&id).await?;
        let first = next(&mut watch, AT_ONCE).await?;
        assert_eq!(first.resource.phase(), ExecutionPhase::ExecutionInProgress);
        let error = watch.next().await.expect_err("the run goes on");
        let took = start.elapsed();
        assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
        assert!(
            took >= DEADLINE && took < DEADLINE + AT_ONCE.limit,
            "a deadline of {DEADLINE:?} ended the stream after {took:?}"
        );
        assert!(
            error.to_string().contains("EXECUTION_IN_PROGRESS"),
            "the phase it was stuck at is not named: {error}"
        );
        t.step("the execution does not know of it");
        gate.open();
        then::workflow::completed(&env, &id, WF).await?;
        Ok(())
    });
}
