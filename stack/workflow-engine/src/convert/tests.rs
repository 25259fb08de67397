use serde_json::{Value as Json, json};
use stigmer_api::{json::from_json, workflow::WorkflowSpec};

use super::*;
use crate::{
    document,
    model::{Action, Call},
};

pub(crate) fn spec(tasks: Json) -> WorkflowSpec {
    from_json(&json!({
        "document": {"dsl": "1.0.0", "namespace": "tests", "name": "sample", "version": "1.0.0"},
        "description": "A sample",
        "tasks": tasks,
    }))
    .expect("a spec in JSON")
}

fn errors(spec: &WorkflowSpec) -> Vec<String> {
    workflow(spec)
        .expect_err("a wrong spec")
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn task(kind: &str, config: Json) -> Json {
    json!({"name": "t", "kind": format!("WORKFLOW_TASK_KIND_{kind}"), "taskConfig": config})
}

#[test]
fn every_kind_becomes_its_form_of_the_dsl() {
    let wait =
        json!({"name": "w", "kind": "WORKFLOW_TASK_KIND_WAIT", "taskConfig": {"seconds": 1}});
    let w = json!([{"w": {"wait": {"seconds": 1}}}]);
    for (kind, config, form) in [
        (
            "SET",
            json!({"variables": {"b": "2", "a": "1"}}),
            json!({"set": {"a": "1", "b": "2"}}),
        ),
        (
            "HTTP_CALL",
            json!({"method": "POST", "endpoint": {"uri": "http://x"}, "headers": {"A": "b"}, "body": {"n": 1, "l": [true]}, "timeout_seconds": 30}),
            json!({"call": "http", "with": {"method": "POST", "endpoint": {"uri": "http://x"}, "headers": {"A": "b"}, "body": {"n": 1, "l": [true]}},
                "timeout": {"after": {"seconds": 30}}}),
        ),
        (
            "GRPC_CALL",
            json!({"service": "127.0.0.1:5005/a.b.C", "method": "D", "request": {"x": "y"}}),
            json!({"call": "grpc", "with": {"service": {"name": "a.b.C", "host": "127.0.0.1", "port": 5005}, "method": "D", "arguments": {"x": "y"}}}),
        ),
        (
            "GRPC_CALL",
            json!({"service": "a.C", "method": "D"}),
            json!({"call": "grpc", "with": {"service": {"name": "a.C", "host": "localhost", "port": 50051}, "method": "D"}}),
        ),
        (
            "CALL_ACTIVITY",
            json!({"activity": "x/y@queue", "input": {"a": 1}}),
            json!({"call": "activity", "with": {"name": "x/y", "taskQueue": "queue", "arguments": [{"a": 1}]}}),
        ),
        (
            "CALL_ACTIVITY",
            json!({"activity": "x"}),
            json!({"call": "activity", "with": {"name": "x"}}),
        ),
        (
            "AGENT_CALL",
            json!({"agent": "a", "scope": "platform", "message": "m", "env": {"K": "v"}, "config": {"model": "x", "timeout": 15, "temperature": 0.0}}),
            json!({"call": "agent", "with": {"agent": "a", "scope": "platform", "message": "m", "env": {"K": "v"},
                "config": {"model": "x", "timeout": 15, "temperature": 0.0}}, "timeout": {"after": {"seconds": 15}}}),
        ),
        (
            "AGENT_CALL",
            json!({"agent": "a", "message": "m"}),
            json!({"call": "agent", "with": {"agent": "a", "message": "m"}}),
        ),
        (
            "SWITCH",
            json!({"cases": [{"name": "one", "when": "${ .a }", "then": "t"}, {"name": "other", "then": "end"}]}),
            json!({"switch": [{"one": {"when": "${ .a }", "then": "t"}}, {"other": {"then": "end"}}]}),
        ),
        (
            "FOR",
            json!({"each": "c", "in": "${ .l }", "do": [wait]}),
            json!({"for": {"each": "c", "at": "index", "in": "${ .l }"}, "do": w}),
        ),
        (
            "FORK",
            json!({"branches": [{"name": "a", "do": [wait]}, {"name": "b", "do": [wait]}], "compete": true}),
            json!({"fork": {"branches": [{"a": {"do": w}}, {"b": {"do": w}}], "compete": true}}),
        ),
        (
            "TRY",
            json!({"try": [wait], "catch": {"as": "e", "do": [wait]}}),
            json!({"try": w, "catch": {"as": "e", "do": w}}),
        ),
        (
            "LISTEN",
            json!({"to": {"mode": "one", "signals": [{"id": "s", "type": "signal"}]}}),
            json!({"listen": {"to": {"one": {"with": {"id": "s", "type": "signal"}}}}}),
        ),
        (
            "LISTEN",
            json!({"to": {"mode": "one", "signals": [{"id": "s", "type": "signal"}, {"id": "u", "type": "update"}]}}),
            json!({"listen": {"to": {"any": [{"with": {"id": "s", "type": "signal"}}, {"with": {"id": "u", "type": "update"}}]}}}),
        ),
        (
            "WAIT",
            json!({"seconds": 90}),
            json!({"wait": {"seconds": 90}}),
        ),
        (
            "RAISE",
            json!({"error": "e", "message": "m"}),
            json!({"raise": {"error": {"type": "e", "detail": "m"}}}),
        ),
        (
            "RUN",
            json!({"workflow": "other", "input": {"a": 1}}),
            json!({"run": {"workflow": {"name": "other", "input": {"a": 1}}, "await": true}}),
        ),
    ] {
        let workflow = workflow(&spec(json!([task(kind, config)])))
            .unwrap_or_else(|e| panic!("{kind}: {e:?}"));
        assert_eq!(
            serde_json::to_value(&workflow.tasks).unwrap(),
            json!([{"t": form}]),
            "{kind}"
        );
        let yaml = document::write(&workflow).unwrap();
        assert_eq!(document::read(&yaml).unwrap(), workflow, "{kind}: {yaml}");
    }
}

#[test]
fn export_and_flow_are_kept() {
    let mut set = task("SET", json!({"variables": {"a": "1"}}));
    set["export"] = json!({"as": "${.}"});
    set["flow"] = json!({"then": "end"});
    let workflow = workflow(&spec(json!([set]))).unwrap();
    let body = &workflow.tasks[0].body;
    assert_eq!(
        (body.export.clone(), body.then.as_deref()),
        (Some(json!("${.}")), Some("end"))
    );
    assert_eq!(workflow.document.description, "A sample");
}

#[test]
fn a_temperature_is_exact_also_when_zero_and_absent_when_not_given() {
    for (given, expected) in [
        (json!(0.0), Some(0.0)),
        (json!(0.1), Some(0.1)),
        (Json::Null, None),
    ] {
        let mut config = json!({"agent": "a", "message": "m", "config": {"timeout": 5}});
        if !given.is_null() {
            config["config"]["temperature"] = given.clone();
        }
        let workflow = workflow(&spec(json!([task("AGENT_CALL", config)]))).unwrap();
        let Action::Call(Call::Agent(call)) = &workflow.tasks[0].body.action else {
            panic!("an agent call")
        };
        assert_eq!(
            call.config.as_ref().unwrap().temperature,
            expected,
            "{given}"
        );
    }
}

/// ERR-13: the first error names the field.
#[test]
fn what_is_wrong_names_the_task_and_the_field() {
    let http = |change: &str, value: Json| {
        let mut config =
            json!({"method": "GET", "endpoint": {"uri": "http://x"}, "timeout_seconds": 30});
        config[change] = value;
        task("HTTP_CALL", config)
    };
    let wait =
        json!({"name": "w", "kind": "WORKFLOW_TASK_KIND_WAIT", "taskConfig": {"seconds": 1}});
    let bad_wait =
        json!({"name": "bad", "kind": "WORKFLOW_TASK_KIND_WAIT", "taskConfig": {"seconds": 0}});
    for (task, expected) in [
        (
            http("method", json!("FETCH")),
            "failed to convert task 't': task_config.method: value must be in list [GET, POST, PUT, DELETE, PATCH]",
        ),
        (
            http("timeout_seconds", json!(301)),
            "failed to convert task 't': task_config.timeout_seconds: value must be less than or equal to 300",
        ),
        (
            http("timeout_seconds", json!(0)),
            "task_config.timeout_seconds: value must be greater than or equal to 1",
        ),
        (
            task("FORK", json!({"branches": [{"name": "a", "do": [wait]}]})),
            "task_config.branches: value must contain at least 2 item(s)",
        ),
        (
            task(
                "AGENT_CALL",
                json!({"agent": "a", "message": "m", "config": {"timeout": 3601}}),
            ),
            "task_config.config.timeout: ",
        ),
        (
            task(
                "AGENT_CALL",
                json!({"agent": "a", "message": "m", "config": {"timeout": 5, "temperature": 1.1}}),
            ),
            "task_config.config.temperature: ",
        ),
        (
            task("AGENT_CALL", json!({"message": "m"})),
            "task_config.agent: ",
        ),
        (
            task("SET", json!({"variables": {}})),
            "task_config.variables: ",
        ),
        (
            task("SET", json!({"values": {}})),
            "failed to convert task 't': task_config: ",
        ),
        (
            task("RAISE", json!({"error": "e"})),
            "task_config.message: ",
        ),
        (
            task(
                "FOR",
                json!({"each": "c", "in": "${ .l }", "do": [bad_wait]}),
            ),
            "failed to convert task 't': failed to convert task 'bad': task_config.seconds: ",
        ),
        (json!({"name": "t", "taskConfig": {}}), "tasks[0].kind: "),
        (
            json!({"name": "t", "kind": 99, "taskConfig": {}}),
            "failed to convert task 't': kind: 99 is not a task kind",
        ),
        (
            json!({"name": "t", "kind": "WORKFLOW_TASK_KIND_SET"}),
            "tasks[0].task_config: ",
        ),
        (
            json!({"kind": "WORKFLOW_TASK_KIND_WAIT", "taskConfig": {"seconds": 1}}),
            "tasks[0].name: ",
        ),
    ] {
        let errors = errors(&spec(json!([task])));
        assert!(
            errors[0].starts_with("Failed to generate YAML: ") && errors[0].contains(expected),
            "{expected:?} in {errors:?}"
        );
    }
}

#[test]
fn a_broken_document_is_reported_in_the_words_of_the_contract() {
    let mut spec = spec(json!([task("WAIT", json!({"seconds": 1}))]));
    let document = spec.document.get_or_insert_default();
    document.namespace.clear();
    document.dsl = "2.0.0".to_owned();
    spec.tasks.clear();
    assert_eq!(
        errors(&spec),
        [
            "Missing required field: document.namespace",
            "Failed to parse YAML: unsupported DSL version: 2.0.0",
            "Workflow must have at least one task in 'do' section",
        ]
    );
    spec.document = None;
    assert_eq!(errors(&spec).len(), 5);
    spec.document.get_or_insert_default().dsl = "1.1.0".to_owned();
    assert!(
        errors(&spec)
            .iter()
            .any(|e| e.contains("document.dsl: value does not match")),
        "{:?}",
        errors(&spec)
    );
}
