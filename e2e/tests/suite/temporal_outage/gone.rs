//! Temporal goes while the stack is at work.

use std::time::{Duration, Instant};

use stigmer_api::{
    agent_execution::ExecutionPhase, workflow_execution::ExecutionPhase as WorkflowPhase,
};
use stigmer_e2e::{
    ensure,
    harness::{Broken, Environment, story},
};
use tonic::Code;

use super::{Subjects, degraded, processes, recovers};
use crate::{given, then::Execution};

/// How long whoever creates an execution may wait for an answer.
const ANSWER: Duration = Duration::from_secs(30);

/// What was refused is not there, or it FAILED with a cause.
fn check_refused<E: Execution>(found: &[E]) -> Result<(), Broken> {
    for execution in found {
        ensure!(
            execution.phase() == ExecutionPhase::ExecutionFailed && !execution.error().is_empty(),
            "{} was refused, and is {:?} with error {:?}",
            execution.id(),
            execution.phase(),
            execution.error()
        );
    }
    Ok(())
}

/// Creates both kinds of execution while Temporal is away, and checks what becomes of them.
async fn refuses(
    env: &Environment,
    subjects: &Subjects,
    when: &str,
) -> stigmer_e2e::harness::Outcome {
    let all = ExecutionPhase::Unspecified;
    let api = env.api().with_deadline(ANSWER);
    let before = (
        api.agent_executions(all).await?,
        api.workflow_executions(WorkflowPhase::Unspecified).await?,
    );
    let (agent, workflow) = tokio::join!(
        api.create(given::execution(
            &format!("ask {when}"),
            &subjects.agent,
            "nobody is asked"
        )),
        api.create(given::workflow_execution(
            &format!("go {when}"),
            &subjects.workflow
        )),
    );
    let refused = [
        agent.expect_err("an agent execution was accepted while Temporal is down"),
        workflow.expect_err("a workflow execution was accepted while Temporal is down"),
    ];
    // An answer of the server, and not the patience of the caller that ended.
    for error in refused {
        assert!(
            [Code::Internal, Code::Unavailable].contains(&error.code()),
            "{error}"
        );
        assert!(error.to_string().contains("Temporal"), "{error}");
    }
    let mut agents = api.agent_executions(all).await?;
    agents.retain(|it| !before.0.contains(it));
    check_refused(&agents)?;
    let mut workflows = api.workflow_executions(WorkflowPhase::Unspecified).await?;
    workflows.retain(|it| !before.1.contains(it));
    check_refused(&workflows)?;
    Ok(())
}

#[test]
fn tmp_04_a_temporal_that_crashed_and_was_restarted_is_used_again() {
    story(async |t| {
        let env = t.environment().with_own_temporal().start().await?;
        let subjects = Subjects::create(&env).await?;
        subjects.complete(&env, "before the crash").await?;
        let before = processes(&env)?;
        t.step("Temporal crashes");
        env.own_temporal().kill9().await?;
        degraded(&env).await?;
        t.step("it is started again, on the same port");
        env.own_temporal().start().await?;
        recovers(&env, &subjects, "after the crash", Instant::now()).await?;
        assert_eq!(processes(&env)?, before);
        Ok(())
    });
}

#[test]
fn tmp_05_an_execution_created_while_temporal_is_down_fails_and_never_runs() {
    story(async |t| {
        let env = t.environment().over_link().start().await?;
        let subjects = Subjects::create(&env).await?;
        t.expects_error(
            "stigmer-server",
            "failed to start workflow",
            "whoever creates an execution while Temporal is down is told that it cannot be run",
        );
        t.step("Temporal goes, and the server does not know yet");
        env.link().cut();
        refuses(&env, &subjects, "at once").await?;
        t.step("the server knows");
        degraded(&env).await?;
        refuses(&env, &subjects, "later").await?;
        t.step("Temporal comes back; only what is created then is run");
        env.link().restore()?;
        recovers(&env, &subjects, "after the outage", Instant::now()).await?;
        Ok(())
    });
}
