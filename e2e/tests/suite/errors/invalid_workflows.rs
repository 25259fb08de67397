//! Workflows that the server has to refuse, because of their form or because they could not run.

use serde_json::{Value, json};
use stigmer_api::{ApiResourceKind, workflow::Workflow};
use stigmer_e2e::harness::{CheckError, Environment, story};
use tonic::Code;

use crate::{
    given::{http_get, task, workflow},
    then::Refusal,
};

/// Create and apply refuse `workflow`, say all of `words`, and store nothing.
async fn check_refused(
    env: &Environment,
    refusal: &Refusal<'_>,
    what: &str,
    invalid: &Workflow,
    words: &[&str],
) -> Result<(), CheckError> {
    env.test().step(what);
    for (verb, answer) in [
        ("create", env.api().create(invalid.clone()).await),
        ("apply", env.api().apply(invalid.clone()).await),
    ] {
        let error = answer
            .err()
            .unwrap_or_else(|| panic!("{what}: {verb} was accepted"));
        assert_eq!(error.code(), Code::InvalidArgument, "{what}: {error}");
        for word in words {
            assert!(
                error.status.message().contains(word),
                "{what}: {word:?} is not in: {error}"
            );
        }
        refusal.check_store(what)?;
    }
    Ok(())
}

fn set(name: &str, value: &str) -> Value {
    task(name, "SET", json!({"variables": {"v": value}}))
}

/// `task` with what it has given exported, so that others can refer to it.
fn exported(mut task: Value) -> Value {
    task["export"] = json!({"as": "${.}"});
    task
}

fn agent_call(config: Value) -> Value {
    let call = json!({"agent": "reviewer", "message": "Review.", "config": config});
    task("call", "AGENT_CALL", call)
}

#[test]
fn err_13_an_invalid_workflow_is_refused_with_the_field_named() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        let good = workflow("flow", &[set("a", "1")]);
        let documented = |change: fn(&mut stigmer_api::workflow::WorkflowDocument)| {
            let mut changed = good.clone();
            let spec = changed.spec.get_or_insert_default();
            change(spec.document.get_or_insert_default());
            changed
        };
        let of = |tasks: &[Value]| workflow("flow", tasks);
        let http = |change: &dyn Fn(&mut Value)| {
            let mut call = http_get("fetch", "http://localhost:1/");
            change(&mut call["taskConfig"]);
            workflow("flow", &[call])
        };
        let branch = json!({"name": "b", "do": [set("inside", "1")]});
        let cases: [(&str, Workflow, &str); 9] = [
            ("no task", of(&[]), "spec.tasks"),
            (
                "dsl 2.0.0",
                documented(|document| document.dsl = "2.0.0".to_owned()),
                "spec.document.dsl",
            ),
            (
                "no namespace",
                documented(|document| document.namespace.clear()),
                "spec.document.namespace",
            ),
            (
                "two tasks with one name",
                of(&[set("same", "1"), set("same", "2")]),
                "same",
            ),
            (
                "the method FETCH",
                http(&|config| config["method"] = json!("FETCH")),
                "spec.tasks[0].task_config.method",
            ),
            (
                "a time limit of 301 seconds",
                http(&|config| config["timeout_seconds"] = json!(301)),
                "spec.tasks[0].task_config.timeout_seconds",
            ),
            (
                "a fork with one branch",
                of(&[task("fork", "FORK", json!({"branches": [branch]}))]),
                "spec.tasks[0].task_config.branches",
            ),
            (
                "an agent's time limit of 3601 seconds",
                of(&[agent_call(json!({"timeout": 3601}))]),
                "spec.tasks[0].task_config.config.timeout",
            ),
            (
                "a temperature of 1.1",
                of(&[agent_call(json!({"timeout": 60, "temperature": 1.1}))]),
                "spec.tasks[0].task_config.config.temperature",
            ),
        ];
        for (what, invalid, field) in &cases {
            check_refused(&env, &refusal, what, invalid, &[field]).await?;
        }
        t.step("the control: what is valid is accepted");
        env.api().apply(good).await?;
        assert_eq!(env.store().count(ApiResourceKind::Workflow)?, 1);
        Ok(())
    });
}

/// What leads nowhere is found when the workflow is applied, not when it runs.
#[test]
fn err_16_a_reference_that_leads_nowhere_is_refused_at_apply_and_named() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        let read = |name: &str, of: &str| set(name, &format!("${{ $context[\"{of}\"].v }}"));
        let switch = |target: &str| {
            let case = json!({"name": "one", "when": "${ true }", "then": target});
            task("choose", "SWITCH", json!({"cases": [case]}))
        };
        let cases = [
            (
                "a task that does not exist",
                vec![read("reader", "nowhere")],
                ["reader", "nowhere"],
            ),
            (
                "two tasks that wait for each other",
                vec![
                    exported(read("first", "second")),
                    exported(read("second", "first")),
                ],
                ["first", "second"],
            ),
            (
                "a target that does not exist",
                vec![switch("nowhere"), set("after", "1")],
                ["choose", "nowhere"],
            ),
        ];
        for (what, tasks, words) in cases {
            let invalid = workflow("flow", &tasks);
            check_refused(&env, &refusal, what, &invalid, &words).await?;
        }
        t.step("the control: the same with tasks that exist is accepted");
        let tasks = [
            exported(set("first", "1")),
            read("second", "first"),
            switch("after"),
            set("after", "1"),
        ];
        env.api().apply(workflow("flow", &tasks)).await?;
        assert_eq!(env.store().count(ApiResourceKind::Workflow)?, 1);
        Ok(())
    });
}
