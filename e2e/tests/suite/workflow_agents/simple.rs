//! Fixture 15: a workflow that calls an agent of the same program.

use std::time::Duration;

use serde_json::json;
use stigmer_api::{
    ApiResourceKind, Resource,
    agent::Agent,
    agent_execution::{AgentExecution, ExecutionPhase},
    commons::WorkflowTaskKind,
    json::to_json,
    workflow::Workflow,
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{
    CheckError, Environment, Expectation, Probe, Reply, Test,
    budget::{AGENT, Budget, NOWORKER, WF},
    story,
};

use crate::{
    fixture::Deployed,
    then::{self, Execution, Refusal},
};

/// An agent and a workflow around it.
pub const AGENT_AND_WORKFLOW: Budget = Budget {
    name: "AGENT + WF",
    limit: Duration::from_secs(AGENT.limit.as_secs() + WF.limit.as_secs()),
};

const ANSWER: &str = "Dividing by zero panics; check b first.";

pub async fn applied(t: &Test) -> Result<(Environment, Deployed), CheckError> {
    let env = t.environment().start().await?;
    let deployed = Deployed::apply(t, &env, "15").await?;
    Ok((env, deployed))
}

/// Every agent execution there is.
pub async fn agent_executions(env: &Environment) -> Result<Vec<AgentExecution>, CheckError> {
    Ok(env
        .api()
        .agent_executions(ExecutionPhase::Unspecified)
        .await?)
}

/// The one agent execution, once there is one.
pub async fn only_agent_execution(env: &Environment) -> Result<AgentExecution, CheckError> {
    let look = async || match env
        .api()
        .agent_executions(ExecutionPhase::Unspecified)
        .await
    {
        Ok(mut found) if found.len() == 1 => Probe::Done(found.remove(0)),
        Ok(found) if found.is_empty() => Probe::NotYet("none".to_owned()),
        Ok(found) => Probe::Hopeless(format!("{} agent executions", found.len())),
        Err(error) => Probe::Hopeless(error.to_string()),
    };
    let awaited = "there is one agent execution";
    Ok(env.test().eventually(awaited, AGENT, look).await?)
}

#[test]
fn wca_01_agent_and_workflow_are_stored_with_their_texts() {
    story(async |t| {
        let (env, _) = applied(&t).await?;
        let agent: Agent = env.api().by_slug("code-reviewer").await?;
        let agent = agent.spec.unwrap_or_default();
        assert_eq!(agent.description, "AI code reviewer for pull requests");
        for text in [
            "You are a code reviewer",
            "Best practices",
            "Potential bugs",
        ] {
            assert!(agent.instructions.contains(text), "{}", agent.instructions);
        }
        let workflow: Workflow = env.api().by_slug("simple-review").await?;
        let workflow = workflow.spec.unwrap_or_default();
        assert_eq!(workflow.description, "Simple code review workflow");
        for (kind, count) in [(ApiResourceKind::Agent, 1), (ApiResourceKind::Workflow, 1)] {
            assert_eq!(env.store().count(kind)?, count, "{kind:?}");
        }
        Ok(())
    });
}

#[test]
fn wca_02_the_task_names_the_applied_agent() {
    story(async |t| {
        let (env, deployed) = applied(&t).await?;
        let workflow: Workflow = env.api().get(deployed.id("simple-review")?).await?;
        let task = workflow.spec.unwrap_or_default().tasks.remove(0);
        assert_eq!(task.name, "reviewCode");
        assert_eq!(task.kind, 13);
        assert_eq!(task.kind(), WorkflowTaskKind::AgentCall);
        let config = to_json(&task.task_config.unwrap_or_default());
        let message = config["message"].as_str().unwrap_or_default();
        assert!(message.contains("func divide"), "{message}");
        let slug = config["agent"].as_str().unwrap_or_default();
        assert_eq!(slug, "code-reviewer");
        let agent: Agent = env.api().by_slug(slug).await?;
        assert_eq!(agent.id(), deployed.id("code-reviewer")?);
        Ok(())
    });
}

#[test]
fn wca_03_a_run_completes_for_who_follows_it_and_for_who_polls() {
    story(async |t| {
        let (env, deployed) = applied(&t).await?;
        env.llm().answer_any(Reply::text(ANSWER));
        let id = deployed.start(&[]).await?;
        let poll = async || match env.api().get::<WorkflowExecution>(&id).await {
            Ok(execution) if execution.phase() < ExecutionPhase::ExecutionCompleted => {
                Probe::NotYet(format!("{:?}", execution.phase()))
            }
            Ok(execution) => Probe::Done(execution),
            Err(error) => Probe::Hopeless(error.to_string()),
        };
        let (followed, polled) = tokio::join!(
            then::workflow::completed(&env, &id, AGENT_AND_WORKFLOW),
            t.eventually("the polled execution has ended", AGENT_AND_WORKFLOW, poll)
        );
        deployed.ran();
        let (followed, polled) = (followed?, polled?);
        assert_eq!(polled.phase(), ExecutionPhase::ExecutionCompleted);
        let last = followed.snapshots.last().map(|snapshot| &snapshot.resource);
        assert_eq!(last, Some(&polled));
        Ok(())
    });
}

#[test]
fn wca_04_the_call_is_one_agent_execution_whose_answer_is_the_tasks_output() {
    story(async |t| {
        let (env, deployed) = applied(&t).await?;
        env.llm().expect(Expectation::message_containing(
            "func divide",
            Reply::text(ANSWER),
        ));
        let id = deployed.start(&[]).await?;
        let finished = then::workflow::completed(&env, &id, AGENT_AND_WORKFLOW).await?;
        assert_eq!(
            then::workflow::output(&finished.execution, "reviewCode")?,
            json!({"result": ANSWER})
        );
        let executions = agent_executions(&env).await?;
        assert_eq!(executions.len(), 1);
        let agent = &executions[0];
        assert_eq!(agent.phase(), ExecutionPhase::ExecutionCompleted);
        let number = agent.name().strip_prefix("code-reviewer-execution-");
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        assert!(
            number.is_some_and(digits),
            "it is called {:?}",
            agent.name()
        );
        let workflow: Workflow = env.api().get(deployed.id("simple-review")?).await?;
        let config = workflow
            .spec
            .unwrap_or_default()
            .tasks
            .remove(0)
            .task_config;
        let config = to_json(&config.unwrap_or_default());
        let message = agent.spec.as_ref().map(|spec| spec.message.as_str());
        assert_eq!(message, config["message"].as_str());
        assert_eq!(env.store().count(ApiResourceKind::WorkflowExecution)?, 1);
        Ok(())
    });
}

#[test]
fn wca_05_an_agent_that_fails_fails_the_workflow_with_its_cause() {
    story(async |t| {
        let (env, deployed) = applied(&t).await?;
        let cause = "the scripted model is out of order";
        env.llm().answer_any(Reply::status(400, cause));
        let id = deployed.start(&[]).await?;
        let says = ["reviewCode", cause];
        let finished = then::workflow::failed(&env, &id, NOWORKER, &says).await?;
        let agent = only_agent_execution(&env).await?;
        assert_eq!(agent.phase(), ExecutionPhase::ExecutionFailed);
        assert!(agent.error().contains(cause), "{}", agent.error());
        assert!(
            finished.execution.error().contains(agent.error()),
            "the workflow says {:?}, the agent {:?}",
            finished.execution.error(),
            agent.error()
        );
        Ok(())
    });
}

#[test]
fn wca_08_an_unknown_workflow_is_named_and_nothing_is_executed() {
    story(async |t| {
        let (env, _) = applied(&t).await?;
        let refusal = Refusal::expected(&env)?;
        let cli = env.cli().args(["run", "no-such-workflow"]);
        let output = cli.run().await?;
        refusal.check(&output)?;
        output.says("not found")?.says("no-such-workflow")?;
        assert_eq!(env.store().count(ApiResourceKind::WorkflowExecution)?, 0);
        assert_eq!(env.store().count(ApiResourceKind::AgentExecution)?, 0);
        assert_eq!(env.llm().requests().len(), 0);
        let workflows = env.temporal().workflows().await?;
        let started = workflows
            .iter()
            .filter(|it| it.workflow_type.ends_with("execution/invoke"));
        assert_eq!(started.count(), 0);
        Ok(())
    });
}
