//! What is refused at conversion, and in which words.

use serde_json::json;

use super::{super::*, pause, workflow};

fn refused(task: impl Into<Task>) -> String {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    workflow.add(task);
    workflow.to_proto(&ctx).unwrap_err().to_string()
}

#[test]
fn names_of_tasks_keep_their_rules() {
    let prefix = "workflow validation failed: ";
    for (name, text) in [
        (
            "a b".to_owned(),
            "validation failed for field \"name\": invalid task name \"a b\": must be letters, digits, hyphens, and underscores",
        ),
        (
            String::new(),
            "validation failed for field \"name\": invalid task name \"\": must be letters, digits, hyphens, and underscores",
        ),
        (
            "a".repeat(101),
            "validation failed for field \"name\": task name must be at most 100 characters (got 101)",
        ),
        (
            "end".to_owned(),
            "validation failed for field \"name\": task name \"end\" is reserved; choose another name",
        ),
    ] {
        assert_eq!(refused(pause(&name)), format!("{prefix}{text}"));
    }
    let twice = ForEach::new("x", "i", "${ [] }", |_| vec![pause("x")]);
    assert_eq!(
        refused(twice),
        format!("{prefix}validation failed: duplicate task name: \"x\"")
    );
    let lonely = pause("x").depends_on([&pause("gone")]);
    assert_eq!(
        refused(lonely),
        format!(
            "{prefix}validation failed: task \"x\" depends on \"gone\", which is not in the workflow"
        )
    );
}

#[test]
fn a_config_that_breaks_a_rule_names_its_task() {
    for (task, rule) in [
        (
            Task::from(HttpCall::new("t", "FETCH", "http://x")),
            "method: value must be in list",
        ),
        (HttpCall::get("t", "").into(), "endpoint.uri: "),
        (
            HttpCall::get("t", "u").timeout_seconds(301).into(),
            "timeout_seconds: value must be less than or equal to 300",
        ),
        (Set::new("t").into(), "variables: value is required"),
        (Wait::seconds("t", 0).into(), "seconds: "),
        (Switch::new("t").into(), "cases: "),
        (
            Fork::new("t").branch("a", [pause("p")]).into(),
            "branches: ",
        ),
        (
            Raise::new("t", "e", "").into(),
            "message: value is required",
        ),
        (
            AgentCall::new("t", "a", "").into(),
            "message: value is required",
        ),
        (
            AgentCall::new("t", "a", "m").temperature(1.5).into(),
            "config.temperature: ",
        ),
        (
            AgentCall::new("t", "a", "m").timeout_seconds(3601).into(),
            "config.timeout: ",
        ),
        (Listen::one("t").into(), "to.signals: "),
        (HttpCall::post("t", "u").body(json!("text")).into(), ""),
    ] {
        let error = refused(task);
        assert!(
            error.starts_with("workflow validation failed: task \"t\": "),
            "{error}"
        );
        assert!(error.contains(rule), "{rule}: {error}");
    }
}

#[test]
fn a_rule_holds_inside_too() {
    let outer = TryCatch::new("outer", [pause("a")], "e", |_| {
        vec![Wait::seconds("inner", 0).into()]
    });
    assert!(refused(outer).contains("task \"inner\": validation error"));
}

#[test]
fn what_a_context_variable_cannot_be_is_refused() {
    for (name, secret, task, text) in [
        (
            "token",
            true,
            "s",
            "context variable \"token\" is secret and would be stored in the workflow; use runtime_secret instead",
        ),
        (
            "s",
            false,
            "s",
            "\"s\" is both a context variable and a task; rename one of them",
        ),
        (
            "x",
            false,
            "context",
            "validation failed: duplicate task name: \"context\"",
        ),
    ] {
        let ctx = Context::new();
        let workflow = workflow(&ctx);
        let variable = match secret {
            true => ctx.set_secret(name, "hush"),
            false => ctx.set_string(name, "v"),
        };
        workflow.add(Set::new(task).variable("n", variable.expression()));
        let error = workflow.to_proto(&ctx).unwrap_err().to_string();
        assert_eq!(error, format!("workflow validation failed: {text}"));
    }
}
