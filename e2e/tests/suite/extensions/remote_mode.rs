//! `--server`: a run that only reads from a server of somebody else, and is seen to do so from there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stigmer_api::{
    Resource,
    agent_execution::AgentExecutionSpec,
    environment::{Environment as Settings, EnvironmentSpec, EnvironmentValue},
};
use stigmer_e2e::harness::{
    CheckError, Environment, Failure, Link, NOBODY, Test,
    budget::{AGENT, WF},
    only_reads, story,
};
use tokio::net::TcpListener;

use crate::{
    given,
    pipeline::{Ended, Inner, xtask},
    then,
};

const AGENTS: usize = 4;

/// Stores on a stack what a stranger might have there.
async fn live_on(t: &Test, env: &Environment) -> Result<(), CheckError> {
    for number in 1..=AGENTS {
        let agent = given::agent(
            &format!("their-agent-{number}"),
            "Be theirs, whatever comes.",
        );
        env.api().apply(agent).await?;
    }
    let workflow = given::workflow("their-workflow", &[given::set("keep", &json!({"a": "1"}))]);
    let workflow = env.api().apply(workflow).await?;
    let mut settings = Settings::envelope();
    let metadata = settings.metadata_mut();
    metadata.name = "their-settings".to_owned();
    metadata.org = stigmer_api::LOCAL_ORG.to_owned();
    metadata.owner_scope = stigmer_api::ApiResourceOwnerScope::Organization as i32;
    let token = EnvironmentValue {
        value: t.secret("THEIR_TOKEN"),
        is_secret: true,
        ..Default::default()
    };
    settings.spec = Some(EnvironmentSpec {
        data: [("THEIR_TOKEN".to_owned(), token)].into(),
        ..Default::default()
    });
    env.api().create(settings).await?;
    work_on(env, "before").await?;
    let run = given::workflow_execution("theirs", workflow.id());
    let run = env.api().create(run).await?;
    then::workflow::completed(env, run.id(), WF).await?;
    Ok(())
}

/// An agent of the stack answers.
async fn work_on(env: &Environment, name: &str) -> Result<(), CheckError> {
    let agent: stigmer_api::agent::Agent = env.api().by_slug("their-agent-1").await?;
    let mut execution = given::execution(name, agent.id(), "Hello");
    let secret = stigmer_api::execution_context::ExecutionValue {
        value: env.test().secret("THEIR_KEY"),
        is_secret: true,
    };
    let spec: &mut AgentExecutionSpec = execution.spec.get_or_insert_default();
    spec.runtime_env.insert("THEIR_KEY".to_owned(), secret);
    let id = env.api().create(execution).await?.id().to_owned();
    then::completed(env, &id, AGENT).await?;
    Ok(())
}

/// The way by which a run reaches `env`; it knows which calls come.
fn way_to(env: &Environment) -> std::io::Result<Link> {
    let way = Link::of_calls_to(&env.server().address())?;
    way.restore()?;
    Ok(way)
}

/// A run that is given `address`.
fn reading(t: &Test, filters: &[&str], address: &str) -> Result<Inner, Failure> {
    let address = address.parse().map_err(stigmer_e2e::harness::Broken)?;
    Ok(Inner::of(t, filters)?.with(|plan| plan.server = Some(address)))
}

/// The calls that came by `way` and do not only read.
fn writing(way: &Link) -> BTreeMap<String, usize> {
    let calls = way.calls().counts().into_iter();
    calls.filter(|(method, _)| !only_reads(method)).collect()
}

/// The one line that says why a run did not begin, and its exit code.
fn refusal(run: &Ended) -> (Option<i32>, String) {
    let lines = run.output.error_lines();
    assert_eq!(lines.len(), 1, "not one line: {lines:?}");
    (run.output.code, lines[0].to_owned())
}

#[test]
fn ext_08_a_run_on_a_given_server_reads_all_and_leaves_every_row_as_it_was() {
    story(async |t| {
        let env = t.environment().answering("Theirs.").start().await?;
        t.step("somebody lives there");
        live_on(&t, &env).await?;
        let (rows, files) = (env.store().rows()?, env.store().counts()?);
        let workflows = env.temporal().workflows().await?.len();
        let way = way_to(&env)?;
        t.step("the whole suite, given the address");
        let run = reading(&t, &[], &way.address())?.run().await?;
        run.output.exited_with(0)?;
        let verdicts = run.verdicts()?;
        assert!(
            verdicts.len() >= 5 && verdicts.iter().all(|(_, verdict)| verdict == "passed"),
            "{verdicts:?}"
        );
        t.step("what does not only read was set aside, and nothing was started");
        let record = run.json("run.json")?;
        assert_eq!(record["server"], json!(way.address()));
        assert_eq!(record["services"], json!([]));
        let aside = record["set_aside"].as_array().cloned().unwrap_or_default();
        let is_own = |test: &Value| {
            !test["name"]
                .as_str()
                .unwrap_or_default()
                .starts_with("remote::")
        };
        assert!(
            aside.len() > 100 && aside.iter().all(is_own),
            "{}",
            aside.len()
        );
        assert!(
            aside
                .iter()
                .all(|test| test["reason"] == "it needs a stack of its own")
        );
        t.step("it met all that is stored there");
        let met = "ext_08_every_record_that_can_be_found_is_valid_and_is_read_by_its_id";
        let facts = run.record(met)?.facts;
        assert_eq!(facts["Agent: records"], json!(AGENTS));
        for kind in [
            "AgentInstance",
            "AgentExecution",
            "WorkflowExecution",
            "Session",
        ] {
            assert_ne!(facts[&format!("{kind}: records")], json!(0), "{kind}");
        }
        let facts = run
            .record("ext_08_no_record_that_can_be_found_tells_a_secret")?
            .facts;
        assert_eq!(facts["secrets"], json!(1));
        t.step("every row is what it was, and only reading calls came");
        assert_eq!(env.store().counts()?, files);
        assert!(env.store().rows()? == rows, "a row is not what it was");
        assert_eq!(env.temporal().workflows().await?.len(), workflows);
        assert_eq!(writing(&way), BTreeMap::new());
        t.fact("calls", json!(way.calls().counts()));
        assert_eq!(run.leftovers()?, []);
        t.step("the stack works as before");
        work_on(&env, "after").await?;
        Ok(())
    });
}

#[test]
fn ext_08_a_test_that_writes_is_red_and_what_it_tried_never_arrives() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        env.api()
            .apply(given::agent("their-agent", "Be theirs, whatever comes."))
            .await?;
        let rows = env.store().rows()?;
        let way = way_to(&env)?;
        let name = "specimen_deletes_what_is_not_its_own";
        let run = reading(&t, &[name], &way.address())?.run().await?;
        run.output.exited_with(100)?;
        let record = run.record(name)?;
        assert_eq!(record.facts["agents"], json!(1));
        let findings = record.teardown_findings.join("\n");
        assert!(
            findings.contains("AgentCommandController/delete"),
            "{findings}"
        );
        assert_eq!(writing(&way), BTreeMap::new());
        assert!(env.store().rows()? == rows, "a row is not what it was");
        Ok(())
    });
}

#[test]
fn ext_08_what_cannot_be_asked_is_refused_with_its_cause_and_what_to_do() {
    story(async |t| {
        t.step("what is no address");
        for (address, cause) in [
            ("https://127.0.0.1:1", "the stack speaks no TLS"),
            ("localhost", "it names no port"),
        ] {
            let output = xtask(&t)?.args(["e2e", "--server", address]).run().await?;
            output.exited_with(2)?;
            let first = output
                .error_lines()
                .first()
                .copied()
                .unwrap_or_default()
                .to_owned();
            assert!(first.contains(address) && first.contains(cause), "{first}");
        }
        t.step("what there is no stack for");
        for word in ["--keep", "--llm=none", "--runtime=docker"] {
            let output = xtask(&t)?
                .args(["e2e", "--server", NOBODY, word])
                .run()
                .await?;
            output.exited_with(2)?;
        }
        t.step("nobody, somebody else, and another gRPC server");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let other = listener.local_addr()?.to_string();
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let temporal = t.session().temporal.address.clone();
        for (address, cause) in [
            (NOBODY, "gives no answer"),
            (&other, "gives no answer"),
            (&temporal, "lacks"),
        ] {
            let run = reading(&t, &[], address)?.run().await?;
            let (code, line) = refusal(&run);
            assert_eq!(code, Some(96), "{line}");
            assert!(line.contains(address) && line.contains(cause), "{line}");
            assert!(line.contains("; "), "no fix: {line}");
            assert_eq!(run.verdicts()?, [], "a test was run all the same");
        }
        t.step("a selection of which nothing only reads");
        let env = t.environment().without_runners().start().await?;
        let run = reading(&t, &["SMK-01"], &env.server().address())?
            .run()
            .await?;
        let (code, line) = refusal(&run);
        assert_eq!(code, Some(4), "{line}");
        assert!(line.contains("it needs a stack of its own"), "{line}");
        Ok(())
    });
}
