//! Who is asked is not there: unknown names, no server, a server that never answers.

use std::time::{Duration, Instant};

use stigmer_e2e::{
    ensure,
    harness::{CliError, NOBODY, Project, story},
};

use super::silent_server;
use crate::{fixture::Deployed, then::Refusal};

#[test]
fn err_01_an_unknown_name_is_not_found_and_the_search_is_told() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        let output = env
            .cli()
            .args(["run", "non-existent-agent", "--message", "Hello"])
            .run()
            .await?;
        refusal.check(&output)?;
        output
            .says("not found")?
            .says("non-existent-agent")?
            .says("Workflow with ID/name: non-existent-agent")?
            .says("Agent with ID/name: non-existent-agent")?
            .does_not_say("Execution ID:")?;
        Ok(())
    });
}

#[test]
fn err_02_an_unknown_workflow_is_not_found_and_a_command_that_is_missing_proves_nothing() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        Deployed::apply(&t, &env, "07").await?;
        let refusal = Refusal::expected(&env)?;
        for name in ["non-existent-workflow", "wfl-01arz3ndektsv4rrffq69g5fav"] {
            let output = env.cli().args(["run", name]).run().await?;
            refusal.check(&output)?;
            output
                .says(&format!("not found: {name}"))?
                .says(&format!("Workflow with ID/name: {name}"))?
                .says(&format!("Agent with ID/name: {name}"))?
                .does_not_say("Execution ID:")?;
        }
        t.step("the control: without the command there is no such proof");
        let nowhere = t.folder().join("nowhere/stigmer");
        let missing = t.command(&nowhere).args(["run", "non-existent-workflow"]);
        match missing.run().await {
            Err(CliError::NotStarted { .. }) => Ok(()),
            other => panic!("a command that there is not was run: {other:?}"),
        }
    });
}

#[test]
fn err_03_an_unreachable_server_is_said_to_be_unreachable() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        let refusal = Refusal::expected(&env)?;
        t.step("apply and run against an address where nobody listens");
        let apply = project
            .cli(&env)
            .env("STIGMER_SERVER_ADDR", NOBODY)
            .args(["apply"])
            .run()
            .await?;
        refusal.check(&apply)?;
        apply
            .says("Cannot connect")?
            .does_not_say("Deployment successful")?;
        let run = env
            .cli()
            .env("STIGMER_SERVER_ADDR", NOBODY)
            .args(["run", "code-reviewer"])
            .run()
            .await?;
        refusal.check(&run)?;
        run.does_not_say("not found")?
            .does_not_say("Execution ID:")?;
        let told = format!("{}{}", run.stdout, run.stderr).to_lowercase();
        assert!(
            told.contains("cannot connect"),
            "run did not say that it cannot connect: {told}"
        );
        Ok(())
    });
}

#[test]
fn err_04_a_server_that_never_answers_does_not_hold_a_command_for_ever() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        t.step("listen on a port and never answer");
        let (address, silence) = silent_server().await?;
        let refusal = Refusal::expected(&env)?;
        let limit = Duration::from_secs(15);
        let start = Instant::now();
        let apply = project
            .cli(&env)
            .env("STIGMER_SERVER_ADDR", &address)
            .args(["apply"])
            .within(limit);
        let run = env
            .cli()
            .env("STIGMER_SERVER_ADDR", &address)
            .args(["run", "code-reviewer"])
            .within(limit);
        let status = env
            .cli()
            .env("STIGMER_SERVER_ADDR", &address)
            .args(["server", "status"])
            .within(limit);
        let (apply, run, status) = tokio::try_join!(apply.run(), run.run(), status.run())?;
        for output in [&apply, &run, &status] {
            refusal.check(output)?;
        }
        ensure!(start.elapsed() < limit, "it took {:?}", start.elapsed());
        silence.abort();
        Ok(())
    });
}
