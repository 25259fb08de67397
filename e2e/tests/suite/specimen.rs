//! Tests that have to fail, for tests about what is kept and told of a failure. They are ignored
//! unless asked for by name.

mod ended;
mod inspected;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use camino::{Utf8Path, Utf8PathBuf};

use serde_json::json;
use stigmer_api::{Resource, agent_execution::AgentExecution};
use stigmer_e2e::{
    harness::{
        Broken, Call, CliOutput, Daemon, Expectation, Failure, Gate, Probe, Project, Reply,
        Response, Test, TestRecord,
        budget::{AGENT, Budget, TEST, WF},
        story,
    },
    session::SESSION_VARIABLE,
};
use stigmer_e2e_plan::{read_json, write_json};

use crate::{fixture::Deployed, given, own, then};

/// What the failing test says.
pub const WORDS: &str = "this specimen has to fail";

/// A specimen that was run and failed, as it has to.
pub struct Failed {
    /// What it printed.
    pub output: CliOutput,
    /// Its folder in the results.
    pub folder: Utf8PathBuf,
    /// What it wrote about itself.
    pub record: TestRecord,
}

/// Runs one specimen by itself, on the shared services, with results in the folder of `t`.
pub async fn fail(t: &Test, specimen: &str) -> Result<Failed, Failure> {
    let results = t.folder().join("runs/specimen");
    let mut session = t.session().clone();
    session.results = results.clone();
    session.inspect_every = 1;
    // Logs of its own for the shared services, so that a specimen may write there.
    for service in &mut session.services {
        service.log = results.join(format!("services/{}.log", service.name));
        std::fs::create_dir_all(results.join("services"))?;
        std::fs::write(&service.log, "before the specimen\n")?;
    }
    let file = results.join("session.json");
    write_json(&file, &session).map_err(|error| Broken(format!("{error:#}")))?;
    let output = t
        .command(&own::suite()?)
        .env(SESSION_VARIABLE, file.as_str())
        .args([
            &format!("specimen::{specimen}"),
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .within(TEST.limit / 2)
        .run()
        .await?;
    output.exited_with(101)?;
    let function = specimen.rsplit("::").next().unwrap_or(specimen);
    let folder = results.join("tests").join(function);
    let record =
        read_json(&folder.join("test.json")).map_err(|error| Broken(format!("{error:#}")))?;
    Ok(Failed {
        output,
        folder,
        record,
    })
}

/// Runs one specimen whose story passes and whose teardown finds something; returns its record.
pub async fn fail_at_the_end(t: &Test, specimen: &str) -> Result<TestRecord, Failure> {
    let record = fail(t, specimen).await?.record;
    match &record.failure {
        None => Ok(record),
        Some(failure) => Err(Broken(format!("the story itself failed: {failure:?}")).into()),
    }
}

/// A line of Temporal about a namespace.
pub fn about(namespace: &str) -> String {
    format!("level=WARN msg=\"a task came late\" wf-namespace={namespace}")
}

#[test]
#[ignore = "it has to fail; scenario LOG-03 runs it"]
fn specimen_fails_after_a_run() {
    story(async |t| {
        let env = t
            .environment()
            .answering("An answer before the failure.")
            .start()
            .await?;
        Deployed::apply(&t, &env, "01").await?;
        let run = env
            .cli()
            .args([
                "run",
                "code-reviewer",
                "--message",
                "A question before the failure.",
            ])
            .run()
            .await?;
        run.exited_with(0)?;
        t.step("a workflow that calls the hub");
        env.hub().expect(
            Call::get("/before-the-failure"),
            Response::text("An answer of the hub."),
        );
        let call = given::http_get("ask", &env.hub().url("/before-the-failure"));
        let workflow = env.api().apply(given::workflow("asking", &[call])).await?;
        let execution = given::workflow_execution("asked", workflow.id());
        let execution = env.api().create(execution).await?;
        then::workflow::completed(&env, execution.id(), WF).await?;
        t.step("a command that writes to both streams");
        let broken = Project::bare(&t, "broken", Some("name: broken\nruntime: python\n"))?;
        broken.cli(&env).args(["apply"]).run().await?;
        t.step("the shared Temporal writes about this test, and about somebody else");
        for service in t
            .session()
            .services
            .iter()
            .filter(|it| it.name == "temporal")
        {
            append(&service.log, &about(env.namespace()))?;
            append(&service.log, &about("somebody-elses"))?;
        }
        panic!("{WORDS}");
    });
}

#[test]
#[ignore = "it has to fail; scenario LOG-04 runs it"]
fn specimen_waits_in_vain() {
    story(async |t| {
        let env = t.environment().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        let gate = Gate::closed();
        env.llm().expect(Expectation::message_containing(
            "",
            Reply::nothing().then("Half an").then_wait(&gate),
        ));
        let run = env
            .cli()
            .args(["run", "code-reviewer", "--follow=false"])
            .run()
            .await?;
        let id = then::started(&env, &run).await?;
        let briefly = Budget {
            name: "BRIEFLY",
            limit: Duration::from_secs(1),
        };
        let waited = t
            .eventually("the execution is COMPLETED", briefly, async || {
                match env.api().get::<AgentExecution>(&id).await {
                    Ok(execution) => {
                        Probe::<()>::NotYet(format!("{:?}", then::phase_of(&execution)))
                    }
                    Err(error) => Probe::NotYet(error.to_string()),
                }
            })
            .await;
        gate.open();
        waited?;
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario ISO-09 runs it"]
fn specimen_leaves_the_model_unsatisfied() {
    story(async |t| {
        let env = t.environment().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        env.llm().expect(Expectation::message_containing(
            "nobody says this",
            Reply::text("never given"),
        ));
        let run = env
            .cli()
            .args(["run", "code-reviewer", "--message", "Nobody expects this."])
            .run()
            .await?;
        run.exited_with(1)?;
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario EDG-02 runs it"]
fn specimen_asks_what_is_not_recorded() {
    story(async |t| {
        let body = json!({
            "model": "recorded-model", "stream": true, "stream_options": {"include_usage": true},
            "temperature": 0, "seed": 7, "cache_prompt": false, "max_tokens": 63,
            "messages": [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": "How are you today?\n\n---\nContext:\n- Organization: local"},
            ],
        });
        let cassette = json!({
            "format": 1, "test": t.name(), "recorded_at": "2026-01-01T00:00:00Z", "provider": "script",
            "model": "recorded-model", "model_sha256": null, "runner": "none",
            "exchanges": [{
                "request": {"method": "POST", "path": "/chat/completions", "body": body},
                "status": 200, "content_type": "text/event-stream", "chunks": [], "end": "complete",
            }],
        });
        let file = t.folder().join("recorded.json");
        write_json(&file, &cassette).map_err(|error| Broken(format!("{error:#}")))?;
        let env = t.environment().without_workflow_runner().replaying(&file);
        let env = env.start().await?;
        let agent = given::agent("assistant", "You are a helpful assistant.");
        let agent = env.api().create(agent).await?;
        let question = given::execution("question", agent.id(), "How were you yesterday?");
        let question = env.api().create(question).await?;
        let finished = then::finished(&env, question.id(), AGENT).await?;
        let error = then::Execution::error(&finished.execution);
        assert!(error.contains("is not recorded"), "{error}");
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario ISO-09 runs it"]
fn specimen_leaves_the_hub_unsatisfied() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let call = given::http_get("surprise", &env.hub().url("/nobody-expects-this"));
        let workflow = env
            .api()
            .apply(given::workflow("surprising", &[call]))
            .await?;
        env.hub()
            .expect(Call::post("/never-called"), Response::status(204));
        let execution = given::workflow_execution("surprise", workflow.id());
        let execution = env.api().create(execution).await?;
        then::workflow::failed(&env, execution.id(), WF, &["surprise"]).await?;
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario LOG-05 runs it"]
fn specimen_lets_a_secret_out() {
    story(async |t| {
        let secret = t.secret("SPECIMEN");
        t.step(format!("says {secret}"));
        let variable = format!("secret:TOKEN={secret}");
        let arguments = ["run", "anything", "--runtime-env", &variable];
        t.cli().args(arguments).run().await?.exited_with(1)?;
        std::fs::write(t.folder().join("plain"), &secret)?;
        // Base64 of `{"token":"…"}` with the secret in it, as Temporal would keep a plain payload.
        let payload = STANDARD.encode(format!("{{\"token\":\"{secret}\"}}"));
        std::fs::write(t.folder().join("encoded"), payload)?;
        Ok(())
    });
}

/// What a program that broke leaves at the end of a log.
fn append(log: &Utf8Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut file = std::fs::File::options().append(true).open(log)?;
    writeln!(file, "{text}")?;
    Ok(())
}

#[test]
#[ignore = "it has to fail; scenario DMN-21 runs it"]
fn specimen_whose_runner_panicked() {
    story(async |t| {
        let env = t.environment().start().await?;
        let panic = "thread 'main' panicked at src/main.rs:1:1:";
        append(env.agent_runner().log(), panic)?;
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario DMN-21 runs it"]
fn specimen_whose_daemon_had_a_data_race() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        daemon.start().await?;
        daemon.stop().await?;
        append(&daemon.log("workflow-runner"), "WARNING: DATA RACE")?;
        Ok(())
    });
}
