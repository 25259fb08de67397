//! What goes on at the same time: a workflow and the agent it waits for, two runs of one workflow.

use serde_json::json;
use stigmer_api::{
    agent_execution::ExecutionPhase, workflow::Workflow, workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{Expectation, Gate, Probe, Reply, budget::AGENT, story};

use super::simple::{AGENT_AND_WORKFLOW, agent_executions, applied};
use crate::{
    given,
    then::{self, Execution},
};

const ANSWER: &str = "Dividing by zero panics; check b first.";

#[test]
fn wca_06_the_workflow_is_pending_then_in_progress_while_the_agent_answers() {
    story(async |t| {
        let (env, deployed) = applied(&t).await?;
        let gate = Gate::closed();
        let answer = Reply::nothing().then_wait(&gate).then(ANSWER);
        env.llm()
            .expect(Expectation::message_containing("", answer));
        t.step("start it while its runner sleeps");
        env.workflow_runner().freeze().await;
        let id = deployed.start(&[]).await?;
        let watch = env.api().subscribe::<WorkflowExecution>(&id).await?;
        env.workflow_runner().thaw().await;
        t.step("look at both in the middle");
        let in_progress = ExecutionPhase::ExecutionInProgress;
        let middle = async || {
            let agents = env.api().agent_executions(in_progress).await;
            match (agents, env.api().get::<WorkflowExecution>(&id).await) {
                (Ok(agents), Ok(workflow)) if agents.len() == 1 => match workflow.phase() {
                    phase if phase == in_progress => Probe::Done(()),
                    phase => Probe::NotYet(format!("the workflow is {phase:?}")),
                },
                (Ok(agents), Ok(_)) => Probe::NotYet(format!("{} agents", agents.len())),
                (Err(error), _) | (_, Err(error)) => Probe::Hopeless(error.to_string()),
            }
        };
        t.eventually("agent and workflow are in progress", AGENT, middle)
            .await?;
        gate.open();
        let snapshots = t.until_closed(watch, AGENT_AND_WORKFLOW).await?;
        let mut phases = snapshots
            .iter()
            .map(|snapshot| snapshot.resource.phase())
            .collect::<Vec<_>>();
        phases.dedup();
        assert_eq!(
            phases,
            [
                ExecutionPhase::ExecutionPending,
                in_progress,
                ExecutionPhase::ExecutionCompleted
            ]
        );
        Ok(())
    });
}

/// A workflow that hands what it was started with to the agent of fixture 15.
fn echo_workflow() -> Workflow {
    let config = json!({
        "agent": "code-reviewer",
        "scope": "organization",
        "message": "${ \"Review of \" + $input.message }",
    });
    given::workflow(
        "echo-review",
        &[given::task("review", "AGENT_CALL", config)],
    )
}

#[test]
fn wca_07_two_runs_at_the_same_time_get_each_its_own_answer() {
    story(async |t| {
        let (env, _) = applied(&t).await?;
        env.api().apply(echo_workflow()).await?;
        let gate = Gate::closed();
        let markers = ["run-one", "run-two"];
        for marker in markers {
            let answer = Reply::nothing()
                .then_wait(&gate)
                .then("Echo of ")
                .then(marker);
            env.llm()
                .expect(Expectation::message_containing(marker, answer));
        }
        t.step("start both, and wait until both ask the model");
        let mut ids = Vec::new();
        for marker in markers {
            let arguments = ["run", "echo-review", "--follow=false", "--message", marker];
            let output = env.cli().args(arguments).run().await?;
            output.exited_with(0)?;
            ids.push(then::workflow::started(&env, &output).await?);
        }
        assert_ne!(ids[0], ids[1]);
        let both = async || given::at_least(2, env.llm().requests().len());
        t.eventually("the model was asked twice", AGENT, both)
            .await?;
        gate.open();
        for (id, marker) in ids.iter().zip(markers) {
            let finished = then::workflow::completed(&env, id, AGENT_AND_WORKFLOW).await?;
            assert_eq!(
                then::workflow::output(&finished.execution, "review")?,
                json!({"result": format!("Echo of {marker}")})
            );
        }
        let executions = agent_executions(&env).await?;
        let messages = executions
            .iter()
            .filter_map(|execution| execution.spec.as_ref().map(|spec| spec.message.clone()));
        let mut messages = messages.collect::<Vec<_>>();
        messages.sort();
        assert_eq!(messages, ["Review of run-one", "Review of run-two"]);
        Ok(())
    });
}
