//! Temporal is there, and nobody who does the work.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, AgentExecutionStatus, AgentMessage, ExecutionPhase},
    workflow::Workflow,
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{CheckError, budget::NOWORKER, story};
use tonic::Code;

use super::super::{Subjects, swept};
use crate::{
    given,
    then::{self, Execution},
};

/// How long whoever applies a workflow may wait for its validation.
const VALIDATION: Duration = Duration::from_secs(35);

#[test]
fn tmp_11_without_a_workflow_runner_the_execution_and_the_validation_fail_and_name_it() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let subjects = Subjects::create(&env).await?;
        env.workflow_runner().stop().await?;
        let execution = given::workflow_execution("go", &subjects.workflow);
        let id = env.api().create(execution).await?.id().to_owned();
        let says = ["no worker available", "workflow-runner", "ExecuteWorkflow"];
        let execution = async {
            let watch = env.api().subscribe::<WorkflowExecution>(&id).await?;
            t.until_closed(watch, NOWORKER).await?;
            let ended: WorkflowExecution = env.api().get(&id).await?;
            Ok::<_, CheckError>(ended)
        };
        let validation = async {
            let begin = Instant::now();
            let tasks = [given::set("set", &json!({"other": "yes"}))];
            let workflow = given::workflow("unvalidated", &tasks);
            let refused = env.api().with_deadline(VALIDATION).create(workflow).await;
            (refused, begin.elapsed())
        };
        let (executed, (refused, took)) = tokio::join!(execution, validation);
        let refused = refused.expect_err("a workflow was accepted that nobody validated");
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        for text in ["no worker available", "workflow-runner", "validateWorkflow"] {
            assert!(refused.to_string().contains(text), "{refused}");
        }
        assert!(took < VALIDATION, "the validation took {took:?}");
        let missing = env.api().by_slug::<Workflow>("unvalidated").await;
        assert_eq!(missing.expect_err("it was stored").code(), Code::NotFound);
        let executed = executed?;
        assert_eq!(executed.phase(), ExecutionPhase::ExecutionFailed);
        for text in says {
            let error = executed.error();
            assert!(error.contains(text), "{error:?} does not say {text:?}");
        }
        swept(&env).await?;
        Ok(())
    });
}

#[test]
fn tmp_12_without_an_agent_runner_the_execution_fails_naming_it_and_keeps_its_messages() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let agent = env
            .api()
            .create(given::agent("helper", "You help whoever asks."))
            .await?;
        let execution = given::execution("ask", agent.id(), "nobody is asked");
        let execution: AgentExecution = env.api().create(execution).await?;
        t.step("a message was reported before the runner was gone");
        let message = AgentMessage {
            content: "I begin.".to_owned(),
            ..Default::default()
        };
        let report = AgentExecutionStatus {
            phase: ExecutionPhase::ExecutionInProgress as i32,
            messages: vec![message],
            ..Default::default()
        };
        let reported = env.api().update_status(execution.id(), report).await?;
        let finished = then::finished(&env, execution.id(), NOWORKER).await?;
        assert_eq!(finished.execution.phase(), ExecutionPhase::ExecutionFailed);
        for text in ["no worker available", "agent-runner", "EnsureThread"] {
            let error = finished.execution.error();
            assert!(error.contains(text), "{error:?} does not say {text:?}");
        }
        let messages = |execution: &AgentExecution| {
            let status = execution.status.clone().unwrap_or_default();
            let messages = status.messages.into_iter();
            messages.map(|it| it.content).collect::<Vec<_>>()
        };
        let before = messages(&reported);
        assert!(before.contains(&"I begin.".to_owned()), "{before:?}");
        let after = messages(&finished.execution);
        assert!(
            after.starts_with(&before),
            "before {before:?}, after {after:?}"
        );
        swept(&env).await?;
        Ok(())
    });
}
