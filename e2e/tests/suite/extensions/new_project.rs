//! `stigmer new`.

use std::{fs, time::Duration};

use camino::Utf8PathBuf;
use serde_json::json;
use stigmer_api::{agent::Agent, workflow::Workflow};
use stigmer_e2e::harness::{
    Call, CheckError, Cli, Environment, Failure, Response, Test,
    budget::{AGENT, WF},
    story,
};

use crate::then::{self, Applied};

const ANSWER: &str = "It divides by zero.";

/// The folder of a new project, made by `stigmer new NAME` with further arguments.
async fn new_project(
    t: &Test,
    env: &Environment,
    name: &str,
    arguments: &[&str],
) -> Result<Utf8PathBuf, Failure> {
    let root = t.folder().join("new");
    fs::create_dir_all(&root)?;
    t.step("write a project");
    let new = env.cli().cwd(&root).args(["new", name]);
    let output = new.args(arguments.iter().copied()).run().await?;
    output
        .exited_with(0)?
        .says("Project created successfully!")?;
    Ok(root.join(name))
}

/// `apply` deploys the project as it is, a second time as well, and its agent runs.
async fn check_project(env: &Environment, apply: Cli) -> Result<(), CheckError> {
    let t = env.test();
    t.step("apply it as it is");
    let output = apply.clone().run().await?;
    output.exited_with(0)?.says("Deployment successful")?;
    let table = output.table()?;
    assert_eq!(table.column("NAME"), ["pr-reviewer", "review-demo-pr"]);
    env.api().by_slug::<Agent>("pr-reviewer").await?;
    let flow: Workflow = env.api().by_slug("review-demo-pr").await?;
    let tasks = flow.spec.unwrap_or_default().tasks;
    let names = tasks.iter().map(|task| task.name.as_str());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["fetch-pr", "fetch-diff", "analyze-pr", "store-results"]
    );
    t.step("apply it again");
    let rows = then::applied(env, &apply.run().await?).await?;
    let known = rows.iter().map(Applied::known);
    assert_eq!(
        known.collect::<Vec<_>>(),
        [
            ("Agent", "pr-reviewer", "✓ Unchanged"),
            ("Workflow", "review-demo-pr", "✓ Unchanged")
        ]
    );
    t.step("run its workflow");
    let pull = "/repos/stigmer/hello-stigmer/pulls/1";
    let title = json!({"title": "feat: divide", "body": "Divides."});
    env.hub().expect(Call::get(pull), Response::json(title));
    env.hub().expect(Call::get(pull), Response::text("+ a / 0"));
    let url = format!("PR_URL={}", env.hub().url(pull));
    let run = [
        "run",
        "review-demo-pr",
        "--follow=false",
        "--runtime-env",
        &url,
    ];
    let id = then::workflow::started(env, &env.cli().args(run).run().await?).await?;
    let execution = then::workflow::completed(env, &id, WF).await?.execution;
    assert_eq!(
        then::workflow::output(&execution, "store-results")?,
        json!({"title": "feat: divide", "review": ANSWER})
    );
    let asked = env.llm().requests();
    let asked = asked
        .first()
        .map(|seen| seen.last_user_message().to_owned());
    let asked = asked.unwrap_or_default();
    for part in ["feat: divide", "Divides.", "+ a / 0"] {
        assert!(asked.contains(part), "{part:?} is not in {asked:?}");
    }
    t.step("run its agent");
    let run = [
        "run",
        "pr-reviewer",
        "--message",
        "Review: a / 0",
        "--follow=false",
    ];
    let output = env.cli().args(run).run().await?;
    let id = then::started(env, &output).await?;
    then::completed(env, &id, AGENT).await?;
    Ok(())
}

#[test]
fn ext_11_a_new_project_is_applied_and_run_as_it_is() {
    story(async |t| {
        let env = t.environment().answering(ANSWER).start().await?;
        // With this checkout's SDK, only the program itself is compiled.
        let sdk = t.session().root.join("stack/sdk");
        let arguments = ["--sdk", sdk.as_str()];
        let project = new_project(&t, &env, "ext-11-project", &arguments).await?;
        check_project(&env, env.cli().cwd(&project).args(["apply"])).await?;
        Ok(())
    });
}

mod nightly {
    use super::*;

    /// The copy of the SDK and all that it needs is compiled, on a machine where others compile, too.
    const BUILD: Duration = Duration::from_secs(110);

    #[test]
    fn ext_11_a_new_project_builds_offline_with_its_own_copy_of_the_sdk() {
        story(async |t| {
            let env = t.environment().answering(ANSWER).start().await?;
            let project = new_project(&t, &env, "ext-11-copy", &[]).await?;
            let manifest = fs::read_to_string(project.join("Cargo.toml"))?;
            assert!(
                manifest.contains("stigmer = { path = \"vendor/stigmer/sdk\" }"),
                "the SDK is not the project's own: {manifest}"
            );
            check_project(&env, env.cli().cwd(&project).args(["apply"]).within(BUILD)).await?;
            Ok(())
        });
    }
}

#[test]
fn ext_11_a_project_is_not_written_where_it_cannot_be() {
    story(async |t| {
        let root = t.folder().join("new");
        fs::create_dir_all(root.join("taken"))?;
        for name in ["a b", "../up", "a/b", "taken"] {
            t.step(format!("stigmer new {name:?}"));
            let output = t.cli().cwd(&root).args(["new", name]).run().await?;
            output.exited_with(1)?;
            assert_eq!(output.error_lines().len(), 1, "{}", output.stderr);
            let reason = match name {
                "taken" => "Directory 'taken' already exists",
                _ => "Invalid project name",
            };
            output.says(reason)?;
        }
        let left = fs::read_dir(&root)?.count() + fs::read_dir(root.join("taken"))?.count();
        assert_eq!(left, 1, "something was written");
        assert!(!t.folder().join("up").exists());
        Ok(())
    });
}
