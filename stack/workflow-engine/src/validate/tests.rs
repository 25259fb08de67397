use serde_json::{Value as Json, json};

use super::*;
use crate::convert::tests::spec;

/// A workflow from the DSL's list of tasks.
fn findings(tasks: Json) -> Findings {
    let document = json!({"document": {"dsl": "1.0.0", "namespace": "n", "name": "w", "version": "1"}, "do": tasks});
    check(&document::read(&document.to_string()).unwrap_or_else(|e| panic!("{e}")))
}

fn errors(tasks: Json) -> Vec<String> {
    findings(tasks).errors
}

fn set(value: &str) -> Json {
    json!({"set": {"x": value}})
}

fn exported(value: &str) -> Json {
    json!({"set": {"v": value}, "export": {"as": "${.}"}})
}

fn wait() -> Json {
    json!({"wait": {"seconds": 1}})
}

#[test]
fn a_name_is_used_once_also_inside_of_tasks() {
    let tasks = json!([{"a": wait()}, {"loop": {"for": {"in": "${ [] }"}, "do": [{"a": wait()}]}}]);
    assert_eq!(
        errors(tasks),
        ["Task validation failed: task 'a': name: duplicate task name: \"a\""]
    );
}

#[test]
fn names_are_checked_everywhere() {
    for (tasks, expected) in [
        (json!([{"a b": wait()}]), "must be letters, digits"),
        (json!([{"x".repeat(101): wait()}]), "at most 100 characters"),
        (json!([{"end": wait()}]), "choose another name"),
        (
            json!([{"s": {"switch": [{"a": {"then": "end"}}, {"b": {"then": "end"}}]}}]),
            "multiple switch statements without when: a, b",
        ),
        (
            json!([{"s": {"switch": [{"a": {"when": "${ true }", "then": "end"}}, {"a": {"then": "end"}}]}}]),
            "duplicate case name: \"a\"",
        ),
        (
            json!([{"f": {"fork": {"branches": [{"b": {"do": [{"x": wait()}]}}, {"b": {"do": [{"y": wait()}]}}]}}}]),
            "duplicate branch name",
        ),
        (
            json!([{"l": {"for": {"each": "a-b", "in": "${ [] }"}, "do": [{"x": wait()}]}}]),
            "for.each: \"a-b\" is not a variable name",
        ),
    ] {
        let errors = errors(tasks);
        assert!(
            errors.iter().any(|e| e.contains(expected)),
            "{expected:?} in {errors:?}"
        );
    }
}

/// ERR-16: an unknown target.
#[test]
fn targets_exist_in_the_same_list() {
    let nested = json!([{"t": {"try": [{"a": wait()}], "catch": {"do": [{"b": {"wait": {"seconds": 1}, "then": "after"}}]}}}, {"after": wait()}]);
    let errors_nested = errors(nested);
    assert!(
        errors_nested[0].starts_with(
            "Task validation failed: task 'b': then: next target specified but not found: after"
        ),
        "{errors_nested:?}"
    );
    let case =
        errors(json!([{"s": {"switch": [{"one": {"when": "${ true }", "then": "nowhere"}}]}}]));
    assert!(
        case[0].contains("task 's': switch.one.then: next target specified but not found: nowhere"),
        "{case:?}"
    );
    for then in ["continue", "exit", "end", "b"] {
        assert_eq!(
            errors(json!([{"a": {"wait": {"seconds": 1}, "then": then}}, {"b": wait()}])),
            [""; 0]
        );
    }
}

#[test]
fn flow_that_never_leaves_is_refused_and_flow_that_may_is_not() {
    let circle = errors(json!([{"a": wait()}, {"b": {"wait": {"seconds": 1}, "then": "a"}}]));
    assert_eq!(
        circle,
        ["Task validation failed: task 'a': then: circular flow without an exit: a -> b"]
    );
    let itself = errors(json!([{"a": {"wait": {"seconds": 1}, "then": "a"}}]));
    assert!(itself[0].contains("circular flow"), "{itself:?}");
    let poll = json!([
        {"a": wait()},
        {"s": {"switch": [{"done": {"when": "${ true }", "then": "end"}}, {"again": {"then": "a"}}]}}
    ]);
    assert_eq!(errors(poll), [""; 0]);
    let conditional = json!([{"a": {"if": "${ true }", "wait": {"seconds": 1}, "then": "a"}}]);
    assert_eq!(errors(conditional), [""; 0]);
}

#[test]
fn a_task_that_no_way_leads_to_is_a_warning() {
    let found = findings(
        json!([{"a": {"wait": {"seconds": 1}, "then": "c"}}, {"b": wait()}, {"c": wait()}]),
    );
    assert_eq!(
        found,
        Findings {
            errors: vec![],
            warnings: vec!["task 'b': never runs: every way goes past it".into()]
        }
    );
}

#[test]
fn an_expression_that_is_not_jq_names_task_and_field() {
    let errors = errors(
        json!([{"a": {"call": "http", "with": {"method": "GET", "endpoint": "http://${ .x | }", "headers": {"H": "${ nope }"}}}}]),
    );
    assert_eq!(errors.len(), 2);
    assert!(
        errors[0].contains("task 'a': with.endpoint.uri: failed to parse jq expression: .x |"),
        "{errors:?}"
    );
    assert!(
        errors[1].contains("with.headers.H: failed to compile jq expression"),
        "{errors:?}"
    );
}

/// ERR-16 and APP-10: a reference names a task that has run.
#[test]
fn references_name_an_earlier_task() {
    let good = json!([{"a": exported("1")}, {"b": set("${ $context[\"a\"].v } ${ $data.v } ${ $context.a.v }")}]);
    assert_eq!(findings(good), Findings::default());
    let swapped = errors(json!([{"b": set("${ $context[\"a\"].v }")}, {"a": exported("1")}]));
    assert_eq!(
        swapped,
        [
            "Task validation failed: task 'b': set.x: $context.a names no earlier task: 'a' has not run then"
        ]
    );
    let unknown = errors(json!([{"b": set("${ $context.nope.v }")}]));
    assert_eq!(
        unknown,
        ["Task validation failed: task 'b': set.x: $context.nope names no task"]
    );
    let data = errors(
        json!([{"b": set("${ $data.nope }")}, {"c": set("${ $data.later }")}, {"later": set("1")}]),
    );
    assert_eq!(data.len(), 2, "{data:?}");
    let circular =
        errors(json!([{"a": exported("${ $context.b.v }")}, {"b": exported("${ $context.a.v }")}]));
    assert_eq!(circular.len(), 1, "{circular:?}");
    let itself = errors(json!([{"a": exported("${ $context.a.v }")}]));
    assert_eq!(itself.len(), 1, "{itself:?}");
}

#[test]
fn a_later_task_may_be_read_where_the_flow_comes_back() {
    let poll = json!([
        {"a": set("${ $context.b.v }")},
        {"b": exported("1")},
        {"s": {"switch": [{"done": {"when": "${ $data.v == 1 }", "then": "end"}}, {"again": {"then": "a"}}]}}
    ]);
    assert_eq!(findings(poll), Findings::default());
}

#[test]
fn what_happens_in_a_loop_stays_there() {
    let body = |inside: &str, after: &str| {
        json!([
            {"l": {"for": {"each": "c", "at": "i", "in": "${ [1] }"}, "do": [{"a": exported("${ $data.c } ${ $data.i }")}, {"b": set(inside)}]}},
            {"z": set(after)}
        ])
    };
    assert_eq!(
        findings(body("${ $context.a.v }", "${ $data.l }")),
        Findings::default()
    );
    assert_eq!(errors(body("1", "${ $context.a.v }")).len(), 1);
    assert_eq!(errors(body("1", "${ $data.c }")).len(), 1);
    assert_eq!(errors(body("${ $context.l }", "1")).len(), 1);
}

#[test]
fn branches_are_read_once_they_are_joined() {
    let fork = |in_b: &str, after: &str| {
        json!([
            {"f": {"fork": {"branches": [{"x": {"do": [{"a": exported("1")}]}}, {"y": {"do": [{"b": set(in_b)}]}}]}, "export": {"as": "${ $context.a.v }"}}},
            {"z": set(after)}
        ])
    };
    assert_eq!(
        findings(fork("1", "${ $context.a.v } ${ $data.f.y }")),
        Findings::default()
    );
    assert_eq!(errors(fork("${ $context.a.v }", "1")).len(), 1);
    assert_eq!(errors(fork("1", "${ $data.v }")).len(), 1);
}

#[test]
fn a_catch_reads_its_error_and_what_the_try_did() {
    let catch = |inside: &str, after: &str| {
        json!([
            {"t": {"try": [{"a": exported("1")}], "catch": {"as": "err", "when": "${ $data.err.status == 500 }", "do": [{"b": set(inside)}]}}},
            {"z": set(after)}
        ])
    };
    assert_eq!(
        findings(catch(
            "${ $data.err.message } ${ $context.a.v }",
            "${ $context.a.v }"
        )),
        Findings::default()
    );
    assert_eq!(errors(catch("1", "${ $data.err.message }")).len(), 1);
}

#[test]
fn reading_what_nobody_exported_is_a_warning() {
    let found = findings(json!([{"a": set("1")}, {"b": set("${ $context.a }")}]));
    assert_eq!(found.errors, [""; 0]);
    assert_eq!(
        found.warnings,
        ["task 'b': set.x: $context.a: is null, since task 'a' exports nothing"]
    );
}

#[test]
fn the_outcome_is_valid_with_yaml_or_invalid_with_errors_or_failed() {
    let wait =
        json!([{"name": "w", "kind": "WORKFLOW_TASK_KIND_WAIT", "taskConfig": {"seconds": 1}}]);
    let valid = validation(Some(&spec(wait)));
    assert_eq!(
        (valid.state(), valid.errors.len()),
        (ValidationState::Valid, 0)
    );
    assert!(
        valid.yaml.contains("wait:") && valid.validated_at.is_some(),
        "{valid:?}"
    );

    let bad = json!([{"name": "s", "kind": "WORKFLOW_TASK_KIND_SET", "taskConfig": {"variables": {"a": "${ $context.x.y }"}}}]);
    let invalid = validation(Some(&spec(bad)));
    assert_eq!(invalid.state(), ValidationState::Invalid);
    assert_eq!(
        invalid.errors,
        ["Task validation failed: task 's': set.a: $context.x names no task"]
    );

    let broken = validation(Some(&spec(json!([]))));
    assert_eq!(
        broken.errors,
        ["Workflow must have at least one task in 'do' section"]
    );
    assert_eq!(
        (broken.state(), broken.yaml.as_str()),
        (ValidationState::Invalid, "")
    );

    let nothing = validation(None);
    assert_eq!(
        (nothing.state(), nothing.errors),
        (
            ValidationState::Failed,
            vec!["WorkflowSpec cannot be nil".to_owned()]
        )
    );
}
