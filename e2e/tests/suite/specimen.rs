//! Tests that have to fail, for tests about what is kept and told of a failure. They are ignored
//! unless asked for by name.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use stigmer_api::agent_execution::AgentExecution;
use stigmer_e2e::{
    harness::{
        Broken, CliOutput, Expectation, Failure, Gate, Probe, Project, Reply, Test, TestRecord,
        budget::Budget, story,
    },
    session::SESSION_VARIABLE,
};
use stigmer_e2e_plan::{read_json, write_json};

use crate::then;

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
    let file = results.join("session.json");
    write_json(&file, &session).map_err(|error| Broken(format!("{error:#}")))?;
    let suite = std::env::current_exe()?;
    let suite = Utf8Path::from_path(&suite)
        .ok_or_else(|| Broken(format!("{} is not UTF-8", suite.display())))?;
    let output = t
        .command(suite)
        .env(SESSION_VARIABLE, file.as_str())
        .args([
            &format!("specimen::{specimen}"),
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .run()
        .await?;
    output.exited_with(101)?;
    let folder = results.join("tests").join(specimen);
    let record =
        read_json(&folder.join("test.json")).map_err(|error| Broken(format!("{error:#}")))?;
    Ok(Failed {
        output,
        folder,
        record,
    })
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
        then::applied(
            &env,
            &Project::fixture(&t, "01-basic-agent")?
                .cli(&env)
                .args(["apply"])
                .run()
                .await?,
        )
        .await?;
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
        t.step("a command that writes to both streams");
        let broken = Project::bare(&t, "broken", Some("name: broken\nruntime: python\n"))?;
        broken.cli(&env).args(["apply"]).run().await?;
        panic!("{WORDS}");
    });
}

#[test]
#[ignore = "it has to fail; scenario LOG-04 runs it"]
fn specimen_waits_in_vain() {
    story(async |t| {
        let env = t.environment().start().await?;
        then::applied(
            &env,
            &Project::fixture(&t, "01-basic-agent")?
                .cli(&env)
                .args(["apply"])
                .run()
                .await?,
        )
        .await?;
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
        then::applied(
            &env,
            &Project::fixture(&t, "01-basic-agent")?
                .cli(&env)
                .args(["apply"])
                .run()
                .await?,
        )
        .await?;
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
