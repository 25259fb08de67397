//! `--output json`: one object with the facts of the text.

use serde_json::{Value, json};
use stigmer_api::{ApiResourceKind, id::is_id};
use stigmer_e2e::harness::{
    Call, CheckError, Cli, CliOutput, Manifest, Project, Response, budget::WF, story,
};

use crate::then;

/// The one object that a command prints, and nothing else.
async fn object(cli: Cli, code: i32) -> Result<(Value, CliOutput), CheckError> {
    let output = cli.args(["--output", "json"]).run().await?;
    output.exited_with(code)?;
    Ok((output.json()?, output))
}

async fn text(cli: Cli) -> Result<CliOutput, CheckError> {
    let output = cli.run().await?;
    output.exited_with(0)?;
    Ok(output)
}

/// The column of a table, and the values of a key, in order.
fn check_column(
    output: &CliOutput,
    column: &str,
    rows: &Value,
    key: &str,
) -> Result<(), CheckError> {
    let table = output.table()?;
    let values = rows.as_array().into_iter().flatten();
    let values = values.map(|row| row[key].as_str().unwrap_or_default());
    assert_eq!(table.column(column), values.collect::<Vec<_>>(), "{column}");
    Ok(())
}

#[test]
fn ext_09_what_a_program_reads_is_what_a_person_reads() {
    story(async |t| {
        let env = t.environment().answering("All is well.").start().await?;
        let name = Manifest::load(&t)?.fixture("13")?.project().to_owned();
        let project = Project::fixture(&t, &name)?;
        let in_project = || project.cli(&env);
        t.step("a dry run");
        let dry_run = || in_project().args(["apply", "--dry-run"]);
        let (report, _) = object(dry_run(), 0).await?;
        let shown = text(dry_run()).await?;
        assert_eq!(report["dry_run"], true);
        check_column(&shown, "TYPE", &report["resources"], "type")?;
        check_column(&shown, "NAME", &report["resources"], "name")?;
        for resource in report["resources"].as_array().into_iter().flatten() {
            shown.says(resource["description"].as_str().unwrap_or_default())?;
        }
        t.step("apply, twice");
        let (first, _) = object(in_project().args(["apply"]), 0).await?;
        let shown = text(in_project().args(["apply"])).await?;
        check_column(&shown, "NAME", &first["resources"], "name")?;
        check_column(&shown, "ID", &first["resources"], "id")?;
        let status = |report: &Value| {
            let resources = report["resources"].as_array().cloned().unwrap_or_default();
            resources
                .into_iter()
                .map(|row| row["status"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(status(&first), ["created", "created"]);
        let (again, _) = object(in_project().args(["apply"]), 0).await?;
        assert_eq!(status(&again), ["unchanged", "unchanged"]);
        assert_eq!(again["organization"], "local");
        t.step("run the agent and the workflow by what the report says");
        env.hub()
            .always(Call::get("/data"), Response::json(json!({"rows": 3})));
        for (resource, kind) in first["resources"].as_array().into_iter().flatten().zip([
            ApiResourceKind::AgentExecution,
            ApiResourceKind::WorkflowExecution,
        ]) {
            let id = resource["id"].as_str().unwrap_or_default();
            let (run, _) = object(env.cli().args(["run", id]).within(WF.limit), 0).await?;
            let execution = run["execution_id"].as_str().unwrap_or_default();
            assert!(is_id(kind, execution), "{run}");
            assert_eq!(
                (&run["name"], &run["phase"]),
                (&resource["name"], &json!("COMPLETED"))
            );
            let watch = || env.cli().args(["execution", "watch", execution]);
            let (watched, _) = object(watch(), 0).await?;
            let shown = text(watch()).await?;
            let facts = [
                "execution_id",
                "phase",
                "messages",
                "tasks",
                "started_at",
                "completed_at",
            ];
            for fact in facts {
                assert_eq!(watched[fact], run[fact], "{fact}");
            }
            for message in run["messages"].as_array().into_iter().flatten() {
                shown.says(message["text"].as_str().unwrap_or_default())?;
            }
            for task in run["tasks"].as_array().into_iter().flatten() {
                let name = task["name"].as_str().unwrap_or_default();
                shown.says(&format!("Task: {name} [Completed]"))?;
                assert_eq!(task["state"], "completed");
            }
        }
        t.step("lists");
        let lists = [
            (vec!["agent", "list"], "agents", "NAME", "name"),
            (vec!["workflow", "list"], "workflows", "ID", "id"),
            (vec!["execution", "list"], "executions", "ID", "id"),
        ];
        for (arguments, key, column, field) in lists {
            let cli = || env.cli().args(arguments.iter().copied());
            let (report, _) = object(cli(), 0).await?;
            check_column(&text(cli()).await?, column, &report[key], field)?;
        }
        Ok(())
    });
}

#[test]
fn ext_09_settings_and_failures_have_their_form_too() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        t.step("settings");
        let list = || env.cli().args(["config", "list"]);
        let (report, _) = object(list(), 0).await?;
        let shown = text(list()).await?;
        for (key, value) in report["settings"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            shown.says_at_line_end(&format!("{key} = {value}"))?;
        }
        let (path, _) = object(env.cli().args(["config", "path"]), 0).await?;
        assert_eq!(path["path"], report["path"]);
        let set = env.cli().args(["config", "set", "execution.ttl", "60"]);
        assert_eq!(object(set, 0).await?.0["value"], "60");
        let get = env.cli().args(["config", "get", "execution.ttl"]);
        assert_eq!(
            object(get, 0).await?.0,
            json!({"key": "execution.ttl", "value": "60"})
        );
        let (backend, _) = object(env.cli().args(["backend", "status"]), 0).await?;
        assert_eq!(backend["type"], "local");
        assert_eq!(backend["endpoint"], env.server().address());
        t.step("what the program prints does not get between");
        let project = Project::fixture(&t, "13-shared-context")?;
        let (report, output) = object(project.cli(&env).args(["apply", "--dry-run"]), 0).await?;
        assert_eq!(report["resources"].as_array().map(Vec::len), Some(2));
        assert!(output.stderr.contains("Created agent"), "{}", output.stderr);
        t.step("an error is on standard error, and the exit code says so");
        let output = env
            .cli()
            .args(["run", "nobody", "--output", "json"])
            .run()
            .await?;
        output.exited_with(1)?;
        assert_eq!(output.stdout, "");
        assert!(output.error_lines()[0].starts_with("Error: Agent or Workflow not found: nobody"));
        t.step("an execution that fails is reported and fails the command");
        let env = t.environment().without_agent_runner().start().await?;
        let applied = crate::fixture::Deployed::apply(&t, &env, "07").await?;
        let path = "/repos/stigmer/hello-stigmer/pulls/1";
        env.hub().always(Call::get(path), Response::status(404));
        let run = env
            .cli()
            .args(["run", applied.workflow()?])
            .within(WF.limit);
        let (report, output) = object(run, 1).await?;
        let id = report["execution_id"].as_str().unwrap_or_default();
        let failed = then::workflow::failed(&env, id, WF, &["fetchPullRequest"]).await?;
        let error = failed.execution.status.unwrap_or_default().error;
        assert_eq!(report["error"], error);
        assert_eq!(report["phase"], "FAILED");
        assert_eq!(report["tasks"][0]["state"], "failed");
        assert!(output.stderr.contains(&error), "{}", output.stderr);
        Ok(())
    });
}
