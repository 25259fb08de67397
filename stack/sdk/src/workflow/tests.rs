use serde_json::{Value, json};
use stigmer_api::{Resource, json::to_json};

use super::*;
use crate::{Agent, AgentArgs};

fn workflow(ctx: &Context) -> Workflow {
    Workflow::new(ctx, "tests/sample", WorkflowArgs::default()).unwrap()
}

fn pause(name: &str) -> Task {
    Wait::seconds(name, 1).into()
}

/// The tasks of the message as protobuf JSON.
fn tasks(ctx: &Context, workflow: &Workflow) -> Value {
    let message = workflow.to_proto(ctx).unwrap();
    to_json(&message)["spec"]["tasks"].clone()
}

fn refused(task: impl Into<Task>) -> String {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    workflow.add(task);
    workflow.to_proto(&ctx).unwrap_err().to_string()
}

#[test]
fn the_name_is_split_at_the_first_slash() {
    let ctx = Context::new();
    let args = WorkflowArgs {
        version: "1.0.0".into(),
        description: "A sample".into(),
        ..Default::default()
    };
    let workflow = Workflow::new(&ctx, "data/a/b", args).unwrap();
    workflow.add(pause("p"));
    let message = workflow.to_proto(&ctx).unwrap();
    assert_eq!((message.kind.as_str(), message.name()), ("Workflow", "a/b"));
    assert_eq!(message.slug(), "a-b");
    let spec = message.spec.unwrap();
    assert_eq!(spec.env_spec, None);
    let document = spec.document.unwrap();
    assert_eq!(
        [
            document.dsl,
            document.namespace,
            document.name,
            document.version,
            document.description
        ],
        ["1.0.0", "data", "a/b", "1.0.0", "A sample"]
    );
}

#[test]
fn a_workflow_without_name_or_namespace_is_not_registered() {
    let ctx = Context::new();
    for (name, text) in [
        (
            "data/",
            "validation failed for field \"name\": name is required",
        ),
        (
            "plain",
            "validation failed for field \"namespace\": namespace is required",
        ),
    ] {
        let error = Workflow::new(&ctx, name, WorkflowArgs::default()).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    let args = WorkflowArgs {
        namespace: "n".into(),
        slug: "my-slug".into(),
        ..Default::default()
    };
    let workflow = Workflow::new(&ctx, "plain", args).unwrap();
    assert_eq!(
        (workflow.namespace().as_str(), workflow.version().as_str()),
        ("n", "0.1.0")
    );
    assert_eq!(ctx.workflows().len(), 1);
    workflow.add(pause("p"));
    assert_eq!(workflow.to_proto(&ctx).unwrap().slug(), "my-slug");
}

#[test]
fn a_workflow_has_tasks() {
    let ctx = Context::new();
    let error = workflow(&ctx).to_proto(&ctx).unwrap_err().to_string();
    assert!(
        error.starts_with("workflow validation failed: validation error: spec.tasks: "),
        "{error}"
    );
}

#[test]
fn every_kind_has_its_config() {
    let wait =
        json!({"name": "w", "kind": "WORKFLOW_TASK_KIND_WAIT", "taskConfig": {"seconds": 1}});
    let cases: Vec<(Task, &str, Value)> = vec![
        (
            Set::new("t").variable("a", "1").variable("b", "2").into(),
            "SET",
            json!({"variables": {"a": "1", "b": "2"}}),
        ),
        (
            HttpCall::post("t", "http://x")
                .header("A", "b")
                .body(json!({"n": 1}))
                .into(),
            "HTTP_CALL",
            json!({"method": "POST", "endpoint": {"uri": "http://x"}, "headers": {"A": "b"}, "body": {"n": 1.0}, "timeout_seconds": 30.0}),
        ),
        (
            GrpcCall::new("t", "a.B", "C")
                .request(json!({"x": "y"}))
                .into(),
            "GRPC_CALL",
            json!({"service": "a.B", "method": "C", "request": {"x": "y"}}),
        ),
        (
            CallActivity::new("t", "x@q")
                .input(json!({"a": "b"}))
                .into(),
            "CALL_ACTIVITY",
            json!({"activity": "x@q", "input": {"a": "b"}}),
        ),
        (
            AgentCall::new("t", AgentRef::by_slug("a").scope(Scope::Platform), "m")
                .env("K", "v")
                .model("x")
                .temperature(0.0)
                .into(),
            "AGENT_CALL",
            json!({"agent": "a", "scope": "platform", "message": "m", "env": {"K": "v"},
                "config": {"model": "x", "timeout": 300.0, "temperature": 0.0}}),
        ),
        (
            Switch::new("t")
                .case("one", "${ .a }", "t")
                .otherwise("other", "end")
                .into(),
            "SWITCH",
            json!({"cases": [{"name": "one", "when": "${ .a }", "then": "t"}, {"name": "other", "then": "end"}]}),
        ),
        (
            ForEach::new("t", "c", "${ .l }", |_| vec![pause("w")]).into(),
            "FOR",
            json!({"each": "c", "in": "${ .l }", "do": [wait]}),
        ),
        (
            Fork::new("t")
                .branch("a", [pause("w")])
                .branch("b", [pause("w2")])
                .compete()
                .into(),
            "FORK",
            json!({"branches": [{"name": "a", "do": [wait]}, {"name": "b", "do": [{"name": "w2", "kind": "WORKFLOW_TASK_KIND_WAIT", "taskConfig": {"seconds": 1}}]}], "compete": true}),
        ),
        (
            TryCatch::new("t", [pause("w")], "e", |e| {
                vec![Set::new("s").variable("m", e.field("message")).into()]
            })
            .into(),
            "TRY",
            json!({"try": [wait], "catch": {"as": "e", "do": [{"name": "s", "kind": "WORKFLOW_TASK_KIND_SET",
                "taskConfig": {"variables": {"m": "${ $data.e.message }"}}}]}}),
        ),
        (
            Listen::one("t").signal("s").update("u").into(),
            "LISTEN",
            json!({"to": {"mode": "one", "signals": [{"id": "s", "type": "signal"}, {"id": "u", "type": "update"}]}}),
        ),
        (pause("t"), "WAIT", json!({"seconds": 1})),
        (
            Raise::new("t", ErrorType::Validation, "m").into(),
            "RAISE",
            json!({"error": "Validation", "message": "m"}),
        ),
        (
            Run::new("t", "other").input(json!({"a": "b"})).into(),
            "RUN",
            json!({"workflow": "other", "input": {"a": "b"}}),
        ),
    ];
    assert_eq!(cases.len(), 13);
    for (task, kind, config) in cases {
        let ctx = Context::new();
        let workflow = workflow(&ctx);
        workflow.add(task);
        let tasks = tasks(&ctx, &workflow);
        let expected = json!([{"name": "t", "kind": format!("WORKFLOW_TASK_KIND_{kind}"), "taskConfig": config}]);
        assert_eq!(with_doubles(tasks), with_doubles(expected), "{kind}");
    }
}

/// A `Struct` has doubles only.
fn with_doubles(json: Value) -> Value {
    match json {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.into_iter().map(with_doubles).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(k, v)| (k, with_doubles(v)))
                .collect(),
        ),
        other => other,
    }
}

#[test]
fn tasks_inside_stay_inside() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let fetch = workflow.add(HttpCall::get("fetch", "http://x"));
    workflow.add(ForEach::new("each", "item", fetch.output(), |item| {
        vec![Set::new("inner").variable("sha", item.field("sha")).into()]
    }));
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(tasks.as_array().unwrap().len(), 2);
    assert_eq!(tasks[0]["export"]["as"], "${.}");
    let config = &tasks[1]["taskConfig"];
    assert_eq!(config["in"], "${ $context[\"fetch\"] }");
    assert_eq!(
        config["do"][0]["taskConfig"]["variables"]["sha"],
        "${ $data.item.sha }"
    );
}

#[test]
fn an_export_that_is_asked_for_later_counts_inside_too() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let inner = pause("inner");
    workflow.add(
        Fork::new("f")
            .branch("a", [inner.clone()])
            .branch("b", [pause("p")]),
    );
    drop(inner.output());
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(
        tasks[0]["taskConfig"]["branches"][0]["do"][0]["export"]["as"],
        "${.}"
    );
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
fn context_variables_travel_in_a_first_task() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let retries = ctx.set_int("retries", 3);
    ctx.set_string("unused", "x");
    workflow.add(Set::new("s").variable("n", retries.add(1).unwrap().expression()));
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(
        tasks[0],
        json!({"name": "context", "kind": "WORKFLOW_TASK_KIND_SET",
            "taskConfig": {"variables": {"retries": "${ 3 }"}}, "export": {"as": "${.}"}})
    );
    assert_eq!(
        tasks[1]["taskConfig"]["variables"]["n"],
        "${ $context.context.retries + 1 }"
    );
}

#[test]
fn context_variables_known_at_once_need_no_task() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let base = ctx.set_string("base", "http://x");
    workflow.add(HttpCall::get("get", base.append("/y")));
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(tasks.as_array().unwrap().len(), 1);
    assert_eq!(tasks[0]["taskConfig"]["endpoint"]["uri"], "http://x/y");
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

#[test]
fn a_workflow_depends_on_what_it_calls_of_the_program() {
    let ctx = Context::new();
    let args = AgentArgs {
        instructions: "Review the code.".into(),
        ..Default::default()
    };
    let agent = Agent::new(&ctx, "reviewer", args).unwrap();
    let inner = workflow(&ctx);
    let outer = Workflow::new(&ctx, "tests/outer", WorkflowArgs::default()).unwrap();
    outer.add(AgentCall::new("a", &agent, "m"));
    outer.add(AgentCall::new("b", "reviewer", "m"));
    outer.add(AgentCall::new("c", "elsewhere", "m"));
    outer.add(ForEach::new("each", "i", "${ [1] }", |_| {
        vec![Run::new("r", "sample").into()]
    }));
    assert_eq!(
        outer.dependencies(&ctx),
        ["agent:reviewer", "workflow:sample"]
    );
    assert!(inner.dependencies(&ctx).is_empty());
}

#[test]
fn the_environment_is_in_the_message() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    workflow.add(pause("p"));
    workflow.add_environment_variable(EnvironmentVariable::new("API_TOKEN").unwrap().secret());
    let spec = workflow.to_proto(&ctx).unwrap().spec.unwrap();
    let environment = spec.env_spec.unwrap();
    assert_eq!(environment.description, "");
    assert!(environment.data["API_TOKEN"].is_secret);
}
