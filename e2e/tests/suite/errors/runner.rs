//! The workflow-runner itself cannot do its work.

use serde_json::json;
use stigmer_api::{Resource, workflow::Workflow};
use stigmer_e2e::harness::{budget::WF, story};

use crate::{
    given::{task, workflow, workflow_execution},
    then,
};

#[test]
fn err_19_a_runner_that_cannot_begin_is_the_cause_of_a_failed_execution() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let greet = task("greet", "SET", json!({"variables": {"greeting": "hello"}}));
        let flow = env.api().create(workflow("flow", &[greet])).await?;
        t.step("start an execution whose workflow is gone before the runner asks for it");
        env.workflow_runner().freeze().await;
        let started = env
            .api()
            .create(workflow_execution("err-19", flow.id()))
            .await?;
        env.api().delete::<Workflow>(flow.id()).await?;
        env.workflow_runner().thaw().await;
        let says = ["Failed to query workflow", "not found"];
        let failed = then::workflow::failed(&env, started.id(), WF, &says).await?;
        let tasks = then::workflow::tasks(&failed.execution);
        assert!(tasks.is_empty(), "a task is said to have run: {tasks:?}");
        t.step("the control: the runner goes on with the next");
        let greet = task("greet", "SET", json!({"variables": {"greeting": "hello"}}));
        let flow = env.api().create(workflow("flow", &[greet])).await?;
        let next = env
            .api()
            .create(workflow_execution("err-19-next", flow.id()))
            .await?;
        then::workflow::completed(&env, next.id(), WF).await?;
        Ok(())
    });
}
