//! Temporal is not there when the stack starts.

use std::time::Instant;

use serde_json::json;
use stigmer_api::Resource;
use stigmer_e2e::harness::{Project, story};
use tonic::Code;

use super::{Subjects, degraded, processes, recovers};
use crate::{given, then::Refusal};

#[test]
fn tmp_01_started_without_temporal_the_stack_works_as_soon_as_it_comes() {
    story(async |t| {
        let env = t.environment().with_temporal_absent().start().await?;
        t.step("the server is ready, and says that it is degraded");
        degraded(&env).await?;
        let server = env.server().pid();
        t.step("Temporal comes");
        let back = Instant::now();
        env.link().restore()?;
        tokio::try_join!(
            env.workflow_runner().until_ready(),
            env.agent_runner().until_ready()
        )?;
        super::reconnected(&env).await?;
        let subjects = Subjects::create(&env).await?;
        recovers(&env, &subjects, "after Temporal came", back).await?;
        assert_eq!(processes(&env)?[0], server, "the server was restarted");
        Ok(())
    });
}

#[test]
fn tmp_02_never_connected_an_execution_is_refused_and_leaves_no_row() {
    story(async |t| {
        let env = t
            .environment()
            .with_temporal_absent()
            .without_agent_runner()
            .start()
            .await?;
        t.step("something to run, by a server that had its Temporal");
        env.link().restore()?;
        env.workflow_runner().until_ready().await?;
        super::reconnected(&env).await?;
        let subjects = Subjects::create(&env).await?;
        t.step("a server that never had it");
        env.link().cut();
        env.server().stop().await?;
        env.server().start_again().await?;
        degraded(&env).await?;
        let refusal = Refusal::expected(&env)?;
        let execution = given::execution("ask", &subjects.agent, "nobody is asked");
        let refused = env.api().create(execution).await;
        let refused = refused.expect_err("an agent execution was accepted without Temporal");
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        refusal.check_store("the agent execution that was refused")?;
        let execution = given::workflow_execution("go", &subjects.workflow);
        let refused = env.api().create(execution).await;
        let refused = refused.expect_err("a workflow execution was accepted without Temporal");
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        refusal.check_store("the workflow execution that was refused")?;
        Ok(())
    });
}

#[test]
fn tmp_03_without_temporal_no_workflow_is_accepted_and_the_user_is_told() {
    story(async |t| {
        let env = t
            .environment()
            .with_temporal_absent()
            .without_runners()
            .start()
            .await?;
        degraded(&env).await?;
        let refusal = Refusal::expected(&env)?;
        t.step("through the API");
        let tasks = [given::set("set", &json!({"done": "yes"}))];
        let refused = env.api().apply(given::workflow("steps", &tasks)).await;
        let refused = refused.expect_err("a workflow was accepted that nobody validated");
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        assert!(refused.to_string().contains("Temporal"), "{refused}");
        refusal.check_store("the workflow that was refused")?;
        t.step("through the CLI");
        let project = Project::fixture(&t, "07-basic-workflow")?;
        let output = project.cli(&env).args(["apply"]).run().await?;
        refusal.check(&output)?;
        output
            .says("Temporal")?
            .does_not_say("Deployment successful")?;
        t.step("the control: an agent needs no validation");
        let agent = env
            .api()
            .apply(given::agent("helper", "You help whoever asks."))
            .await?;
        assert!(!agent.id().is_empty());
        Ok(())
    });
}
