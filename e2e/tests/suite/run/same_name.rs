//! One name for an agent and a workflow.

use serde_json::json;
use stigmer_api::{ApiResourceKind, Resource, workflow_execution::WorkflowExecution};
use stigmer_e2e::harness::{
    budget::{AGENT, WF},
    story,
};

use crate::{
    given::{agent, task, workflow},
    then,
};

#[test]
fn run_06_of_a_workflow_and_an_agent_with_one_name_the_workflow_runs_and_that_is_said() {
    story(async |t| {
        let env = t.environment().answering("Here I am.").start().await?;
        let reviewer = env
            .api()
            .create(agent("same", "Answer in one short sentence."))
            .await?;
        let greet = task("greet", "SET", json!({"variables": {"greeting": "hello"}}));
        let flow = env.api().create(workflow("same", &[greet])).await?;
        t.step("run the name");
        let output = env
            .cli()
            .args(["run", "same", "--follow=false"])
            .run()
            .await?;
        output
            .exited_with(0)?
            .says("'same' is a workflow and an agent; running the workflow")?
            .says_at_line_end("Workflow execution started: same")?;
        let id = then::workflow::started(&env, &output).await?;
        let execution: WorkflowExecution =
            then::workflow::completed(&env, &id, WF).await?.execution;
        let spec = execution.spec.unwrap_or_default();
        assert_eq!(spec.workflow_id, flow.id());
        assert_eq!(env.store().count(ApiResourceKind::AgentExecution)?, 0);
        t.step("the agent is still to be had by its id");
        let output = env
            .cli()
            .args(["run", reviewer.id(), "--follow=false"])
            .run()
            .await?;
        output
            .exited_with(0)?
            .does_not_say("running the workflow")?
            .says_at_line_end("Agent execution started: same")?;
        let id = then::started(&env, &output).await?;
        then::completed(&env, &id, AGENT).await?;
        t.step("a name that only one has needs no explanation");
        env.api()
            .create(agent("single", "Answer in one short sentence."))
            .await?;
        let output = env
            .cli()
            .args(["run", "single", "--follow=false"])
            .run()
            .await?;
        output
            .exited_with(0)?
            .does_not_say("running the workflow")?;
        let id = then::started(&env, &output).await?;
        then::completed(&env, &id, AGENT).await?;
        Ok(())
    });
}
