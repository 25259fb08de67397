//! Deleting an execution that is running.

use std::time::Duration;

use stigmer_api::{
    ApiResourceKind, agent_execution::AgentExecution, workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{
    Call, CheckError, Environment, Expectation, Gate, Probe, Reply, Response,
    budget::{AGENT, WF},
    story,
};
use tonic::Code;

use super::workflows::{PULL, pull_request, with_fixture_07};
use crate::{
    fixture::Deployed,
    given,
    then::{self, Execution},
};

/// The record is gone, its stream ends with NOT_FOUND, and every workflow that was started for it ends
/// in Temporal.
async fn check_gone<E: Execution>(env: &Environment, id: &str) -> Result<(), CheckError> {
    let error = env.api().get::<E>(id).await.expect_err("it was deleted");
    assert_eq!(error.code(), Code::NotFound);
    let ended = env
        .test()
        .eventually("its Temporal workflows have ended", WF, async || match env
            .temporal()
            .workflows()
            .await
        {
            Ok(all) => given::none_of(all.iter().filter(|workflow| {
                workflow.workflow_id.contains(id) && workflow.status == "Running"
            })),
            Err(error) => Probe::NotYet(error.to_string()),
        });
    ended.await?;
    Ok(())
}

/// Whatever was still under way had its chance: nothing brought the record back.
async fn check_still_gone<E: Execution>(env: &Environment, id: &str) -> Result<(), CheckError> {
    env.ping(Duration::from_secs(5))
        .await
        .expect("the parts do work");
    let error = env.api().get::<E>(id).await.expect_err("it was deleted");
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(env.store().count(E::KIND)?, 0);
    Ok(())
}

#[test]
fn run_18_a_deleted_workflow_execution_stops_and_does_not_come_back() {
    story(async |t| {
        let (env, deployed) = with_fixture_07(&t).await?;
        let gate = Gate::closed();
        let answer = Response::json(pull_request()).behind(&gate);
        env.hub().expect(Call::get(PULL), answer);
        let id = deployed.start(&[]).await?;
        t.eventually("the hub was called", WF, async || {
            given::at_least(1, env.hub().open_calls())
        })
        .await?;
        t.step("delete it while its call is open");
        let mut watch = env.api().subscribe::<WorkflowExecution>(&id).await?;
        watch.next().await?;
        env.api().delete::<WorkflowExecution>(&id).await?;
        let ended = loop {
            match watch.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream of a deleted execution ended as if it was over"),
                Err(error) => break error,
            }
        };
        assert_eq!(ended.code(), Code::NotFound);
        check_gone::<WorkflowExecution>(&env, &id).await?;
        t.step("the worker gave its call up");
        t.eventually("no call is open", WF, async || {
            match env.hub().open_calls() {
                0 => Probe::Done(()),
                open => Probe::NotYet(format!("{open} calls are open")),
            }
        })
        .await?;
        t.step("answer what is left to be answered");
        gate.open();
        check_still_gone::<WorkflowExecution>(&env, &id).await?;
        Ok(())
    });
}

#[test]
fn run_18_a_deleted_agent_execution_stops_and_does_not_come_back() {
    story(async |t| {
        let env = t.environment().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        let gate = Gate::closed();
        let reply = Reply::nothing()
            .then("Half of ")
            .then_wait(&gate)
            .then("an answer.");
        env.llm()
            .expect(Expectation::message_containing("Never mind.", reply));
        let arguments = [
            "run",
            "code-reviewer",
            "--message",
            "Never mind.",
            "--follow=false",
        ];
        let output = env.cli().args(arguments).run().await?;
        output.exited_with(0)?;
        let id = then::started(&env, &output).await?;
        t.eventually("the first half was reported", AGENT, async || {
            match env.api().get::<AgentExecution>(&id).await {
                Ok(execution) if format!("{execution:?}").contains("Half of ") => Probe::Done(()),
                Ok(execution) => Probe::NotYet(format!("{:?}", execution.phase())),
                Err(error) => Probe::NotYet(error.to_string()),
            }
        })
        .await?;
        t.step("delete it in the middle of its answer");
        env.api().delete::<AgentExecution>(&id).await?;
        check_gone::<AgentExecution>(&env, &id).await?;
        t.step("the model says the rest to nobody");
        gate.open();
        check_still_gone::<AgentExecution>(&env, &id).await?;
        assert_eq!(env.store().count(ApiResourceKind::AgentExecution)?, 0);
        Ok(())
    });
}
