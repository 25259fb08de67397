//! `stigmer agent|workflow|execution`: what the API has, and nothing else.

use std::time::Duration;

use serde_json::Value;
use stigmer_api::{
    ApiResourceKind,
    agent::Agent,
    agent_execution::{AgentExecution, ExecutionPhase},
    json::to_json,
    workflow::Workflow,
};
use stigmer_e2e::harness::{
    Call, CheckError, CliOutput, Environment, Expectation, Gate, Probe, Reply, Response,
    budget::{AGENT, WF},
    story,
};
use tonic::Code;

use crate::{
    fixture::Deployed,
    given,
    then::{self, Execution, Refusal},
};

const PULL: &str = "/repos/stigmer/hello-stigmer/pulls/1";

async fn ok(env: &Environment, arguments: &[&str]) -> Result<CliOutput, CheckError> {
    let output = env.cli().args(arguments.iter().copied()).run().await?;
    output.exited_with(0)?;
    assert_eq!(output.stderr, "", "`{}`", output.command_line);
    Ok(output)
}

async fn json(env: &Environment, arguments: &[&str]) -> Result<Value, CheckError> {
    let arguments = [arguments, &["--output", "json"]].concat();
    Ok(ok(env, &arguments).await?.json()?)
}

#[test]
fn ext_13_what_is_listed_is_what_was_applied_and_what_is_deleted_is_gone() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        ok(&env, &["agent", "list"])
            .await?
            .says("No agents in organization local")?;
        let applied = Deployed::apply(&t, &env, "13").await?;
        t.step("list and show both kinds");
        for (kind, name) in [
            ("agent", "data-analyzer"),
            ("workflow", "fetch-and-analyze"),
        ] {
            let output = ok(&env, &[kind, "list"]).await?;
            let table = output.table()?;
            assert_eq!(table.column("NAME"), [name]);
            assert_eq!(table.column("ID"), [applied.id(name)?]);
            let shown = ok(&env, &[kind, "get", name]).await?;
            assert_eq!(
                shown.stdout,
                ok(&env, &[kind, "get", applied.id(name)?]).await?.stdout
            );
            shown.says(applied.id(name)?)?;
        }
        let agent: Agent = env.api().by_slug("data-analyzer").await?;
        let workflow: Workflow = env.api().by_slug("fetch-and-analyze").await?;
        assert_eq!(
            json(&env, &["agent", "get", "data-analyzer"]).await?,
            to_json(&agent)
        );
        assert_eq!(
            json(&env, &["workflow", "get", "fetch-and-analyze"]).await?,
            to_json(&workflow)
        );
        t.step("delete both");
        for (kind, name) in [
            ("agent", "data-analyzer"),
            ("workflow", "fetch-and-analyze"),
        ] {
            let said = ok(&env, &[kind, "delete", name]).await?;
            said.says(applied.id(name)?)?;
            let refusal = Refusal::expected(&env)?;
            for command in ["get", "delete"] {
                let output = env.cli().args([kind, command, name]).run().await?;
                refusal.check(&output)?;
                output.says(&format!("not found: {name}"))?;
            }
        }
        assert_eq!(env.store().count(ApiResourceKind::Agent)?, 0);
        assert_eq!(env.store().count(ApiResourceKind::Workflow)?, 0);
        Ok(())
    });
}

#[test]
fn ext_13_executions_are_listed_with_what_they_run_and_deleted_by_id() {
    story(async |t| {
        let env = t.environment().answering("All is well.").start().await?;
        let applied = Deployed::apply(&t, &env, "13").await?;
        env.hub().always(
            Call::get("/data"),
            Response::json(serde_json::json!({"rows": 3})),
        );
        let run = applied
            .run("data-analyzer", &["--message", "Analyze."])
            .await?;
        let of_agent = then::started(&env, &run).await?;
        then::completed(&env, &of_agent, AGENT).await?;
        let of_workflow = applied.start(&[]).await?;
        then::workflow::completed(&env, &of_workflow, WF).await?;
        t.step("list them, newest first");
        let output = ok(&env, &["execution", "list"]).await?;
        let table = output.table()?;
        assert_eq!(table.column("ID"), [&of_workflow, &of_agent]);
        assert_eq!(table.column("NAME"), ["fetch-and-analyze", "data-analyzer"]);
        assert_eq!(table.column("PHASE"), ["Completed", "Completed"]);
        let listed = json(&env, &["execution", "list", "--kind", "agent"]).await?;
        assert_eq!(
            listed["executions"][0]["id"],
            Value::from(of_agent.as_str())
        );
        assert_eq!(listed["total"], 1);
        let none = json(&env, &["execution", "list", "--phase", "failed"]).await?;
        assert_eq!(none["total"], 0);
        t.step("show one, whole");
        let record: AgentExecution = env.api().get(&of_agent).await?;
        assert_eq!(
            json(&env, &["execution", "get", &of_agent]).await?,
            to_json(&record)
        );
        ok(&env, &["execution", "get", &of_agent])
            .await?
            .says("🤖 Agent: All is well.")?
            .says("Done!")?;
        t.step("watch one that has ended");
        ok(&env, &["execution", "watch", &of_workflow])
            .await?
            .says("Total tasks: 2")?;
        t.step("delete one");
        ok(&env, &["execution", "delete", &of_agent]).await?;
        let gone = env.api().get::<AgentExecution>(&of_agent).await.err();
        assert_eq!(gone.map(|error| error.code()), Some(Code::NotFound));
        let refusal = Refusal::expected(&env)?;
        let output = env
            .cli()
            .args(["execution", "get", &of_agent])
            .run()
            .await?;
        refusal.check(&output)?;
        output.says(&of_agent)?;
        Ok(())
    });
}

/// The execution is CANCELLED, and no Temporal workflow of it is left running.
async fn check_cancelled<E: Execution>(env: &Environment, id: &str) -> Result<(), CheckError> {
    let stored: E = env.api().get(id).await?;
    assert_eq!(stored.phase(), ExecutionPhase::ExecutionCancelled);
    let ended =
        async || match env.temporal().workflows().await {
            Ok(all) => given::none_of(all.iter().filter(|workflow| {
                workflow.workflow_id.contains(id) && workflow.status == "Running"
            })),
            Err(error) => Probe::NotYet(error.to_string()),
        };
    env.test()
        .eventually("its Temporal workflows have ended", WF, ended)
        .await?;
    let stored: E = env.api().get(id).await?;
    assert_eq!(
        stored.phase(),
        ExecutionPhase::ExecutionCancelled,
        "a late report changed it"
    );
    Ok(())
}

#[test]
fn ext_13_a_cancelled_workflow_execution_ends_and_whoever_watches_is_told() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let applied = Deployed::apply(&t, &env, "07").await?;
        let gate = Gate::closed();
        env.hub().expect(
            Call::get(PULL),
            Response::json(serde_json::json!({})).behind(&gate),
        );
        let id = applied.start(&[]).await?;
        let mut watch = env
            .cli()
            .args(["execution", "watch", &id])
            .within(WF.limit)
            .spawn()?;
        t.eventually("the hub was called", WF, async || {
            given::at_least(1, env.hub().open_calls())
        })
        .await?;
        watch
            .wait_for_line("the start", |line| line.contains("Execution started"))
            .await?;
        t.step("cancel it while its call is open");
        ok(&env, &["execution", "cancel", &id]).await?.says(&id)?;
        let watched = watch.finish().await?;
        watched
            .exited_with(1)?
            .says("Workflow execution cancelled")?
            .says(&format!("execution {id} was cancelled"))?;
        check_cancelled::<stigmer_api::workflow_execution::WorkflowExecution>(&env, &id).await?;
        t.step("what has ended is not cancelled");
        gate.open();
        env.hub()
            .expect(Call::get(PULL), Response::json(serde_json::json!({})));
        let finished = applied.start(&[]).await?;
        then::workflow::completed(&env, &finished, WF).await?;
        let refusal = Refusal::expected(&env)?;
        let output = env
            .cli()
            .args(["execution", "cancel", &finished])
            .run()
            .await?;
        refusal.check(&output)?;
        output.says(&format!("failed to cancel execution {finished}"))?;
        Ok(())
    });
}

#[test]
fn ext_13_a_cancelled_agent_execution_ends_its_request_to_the_model() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        let gate = Gate::closed();
        let reply = Reply::nothing()
            .then("Thinking")
            .then_wait(&gate)
            .then(" for ever");
        env.llm()
            .expect(Expectation::message_containing("Think.", reply));
        let run = [
            "run",
            "code-reviewer",
            "--message",
            "Think.",
            "--follow=false",
        ];
        let id = then::started(&env, &ok(&env, &run).await?).await?;
        let answering = async || match env.llm().requests().is_empty() {
            true => Probe::NotYet("no request".to_owned()),
            false => Probe::Done(()),
        };
        t.eventually("the model was asked", AGENT, answering)
            .await?;
        t.step("cancel it while the model thinks");
        let cancelled = json(&env, &["execution", "cancel", &id]).await?;
        assert_eq!(cancelled["phase"], "CANCELLED");
        check_cancelled::<AgentExecution>(&env, &id).await?;
        gate.open();
        t.step("the runner is free for the next");
        env.llm().expect(Expectation::message_containing(
            "Now.",
            Reply::text("Done."),
        ));
        let run = [
            "run",
            "code-reviewer",
            "--message",
            "Now.",
            "--follow=false",
        ];
        let next = then::started(&env, &ok(&env, &run).await?).await?;
        then::completed(&env, &next, AGENT).await?;
        tokio::time::timeout(
            Duration::from_secs(5),
            check_cancelled::<AgentExecution>(&env, &id),
        )
        .await??;
        Ok(())
    });
}
