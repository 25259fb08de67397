//! The config of each kind, in the contract's keys.

use serde_json::{Value, json};

use super::{super::*, pause, tasks, workflow};

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
