//! `stigmer new`.

use std::{fs, time::Duration};

use stigmer_api::{agent::Agent, workflow::Workflow};
use stigmer_e2e::harness::{budget::AGENT, story};

use crate::then::{self, Applied};

/// The SDK's copy is compiled, on a machine where others compile, too.
const BUILD: Duration = Duration::from_secs(110);

#[test]
fn ext_11_a_new_project_builds_offline_and_is_applied_and_run() {
    story(async |t| {
        let env = t
            .environment()
            .answering("The change divides by zero.")
            .start()
            .await?;
        let root = t.folder().join("new");
        fs::create_dir_all(&root)?;
        t.step("write a project");
        let new = env.cli().cwd(&root).args(["new", "ext-11-project"]);
        let output = new.run().await?;
        output
            .exited_with(0)?
            .says("Project created successfully!")?;
        let project = root.join("ext-11-project");
        let manifest = fs::read_to_string(project.join("Cargo.toml"))?;
        assert!(
            manifest.contains("stigmer = { path = \"vendor/stigmer/sdk\" }"),
            "the SDK is not the project's own: {manifest}"
        );
        t.step("apply it as it is");
        let apply = env.cli().cwd(&project).args(["apply"]).within(BUILD);
        let output = apply.run().await?;
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
        t.step("apply it again, in no more time than any project");
        let output = env.cli().cwd(&project).args(["apply"]).run().await?;
        let rows = then::applied(&env, &output).await?;
        let known = rows.iter().map(Applied::known);
        assert_eq!(
            known.collect::<Vec<_>>(),
            [
                ("Agent", "pr-reviewer", "✓ Unchanged"),
                ("Workflow", "review-demo-pr", "✓ Unchanged")
            ]
        );
        t.step("run its agent");
        let run = [
            "run",
            "pr-reviewer",
            "--message",
            "Review: a / 0",
            "--follow=false",
        ];
        let output = env.cli().args(run).run().await?;
        let id = then::started(&env, &output).await?;
        then::completed(&env, &id, AGENT).await?;
        Ok(())
    });
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
