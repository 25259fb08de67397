//! Where a turn ends although the model goes on, and how an execution says how it is to be run.

use std::time::Duration;

use serde_json::json;
use stigmer_api::{
    Resource,
    agent_execution::ExecutionPhase,
    annotation::{EXECUTION_TEMPERATURE, EXECUTION_TIMEOUT_SECONDS},
};
use stigmer_e2e::harness::{CheckError, Component, Environment, Reply, budget::AGENT, story};

use super::at_work::{agent_with, start, stdio};
use crate::then;

/// The error of a run that has to fail.
async fn failure(env: &Environment, annotations: &[(&str, &str)]) -> Result<String, CheckError> {
    let agent = agent_with([stdio("s")]);
    let id = start(env, agent, |execution| {
        let annotations = annotations
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        execution.metadata_mut().annotations.extend(annotations);
    })
    .await?;
    let finished = then::finished(env, &id, AGENT).await?;
    let status = finished.execution.status.unwrap_or_default();
    assert_eq!(
        status.phase(),
        ExecutionPhase::ExecutionFailed,
        "{status:?}"
    );
    Ok(status.error)
}

#[test]
fn agt_06_a_model_that_never_stops_asking_ends_at_the_limit() {
    story(async |t| {
        let env = t
            .environment()
            .without_workflow_runner()
            .setting(Component::AgentRunner, "STIGMER_AGENT_MAX_TURNS", "3")
            .start()
            .await?;
        env.llm()
            .answer_any(Reply::calling("s__add", &json!({"a": 1, "b": 1})));
        let error = failure(&env, &[]).await?;
        assert!(error.contains("asked 3 times"), "{error}");
        assert!(error.contains("STIGMER_AGENT_MAX_TURNS"), "{error}");
        assert_eq!(env.llm().requests().len(), 3);
        Ok(())
    });
}

#[test]
fn agt_06_a_model_that_repeats_one_call_is_told_and_then_stopped() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        env.llm()
            .answer_any(Reply::calling("s__add", &json!({"a": 1, "b": 1})));
        let error = failure(&env, &[]).await?;
        assert!(
            error.contains("s__add 5 times with the same arguments"),
            "{error}"
        );
        let requests = env.llm().requests();
        assert_eq!(requests.len(), 5);
        let told = requests[4].last_result().unwrap_or_default();
        assert!(told.contains("4 times in a row"), "{told:?}");
        Ok(())
    });
}

#[test]
fn agt_10_a_temperature_of_zero_is_sent_as_such() {
    story(async |t| {
        let env = t
            .environment()
            .without_workflow_runner()
            .answering("Done.")
            .start()
            .await?;
        for temperature in [None, Some("0.0"), Some("0.9")] {
            let id = start(&env, agent_with([]), |execution| {
                let annotations = &mut execution.metadata_mut().annotations;
                annotations.extend(
                    temperature.map(|value| (EXECUTION_TEMPERATURE.to_owned(), value.to_owned())),
                );
            })
            .await?;
            then::completed(&env, &id, AGENT).await?;
        }
        let requests = env.llm().requests();
        let sent = requests
            .iter()
            .map(|request| request.body.get("temperature").cloned());
        assert_eq!(
            sent.collect::<Vec<_>>(),
            [None, Some(json!(0.0)), Some(json!(0.9))]
        );
        Ok(())
    });
}

#[test]
fn agt_10_an_execution_whose_time_is_over_fails_and_says_so() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        env.llm().answer_any(Reply::silence());
        let before = t.elapsed();
        let error = failure(&env, &[(EXECUTION_TIMEOUT_SECONDS, "2")]).await?;
        let took = t.elapsed() - before;
        assert!(error.contains("took longer than 2 s"), "{error}");
        assert!(took < Duration::from_secs(12), "it took {took:?}");
        Ok(())
    });
}

#[test]
fn agt_10_annotations_that_are_no_numbers_are_named_before_the_model_is_asked() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        for name in [EXECUTION_TEMPERATURE, EXECUTION_TIMEOUT_SECONDS] {
            let error = failure(&env, &[(name, "warm")]).await?;
            assert!(
                error.contains(name) && error.contains("\"warm\""),
                "{error}"
            );
        }
        assert_eq!(env.llm().requests().len(), 0);
        Ok(())
    });
}
