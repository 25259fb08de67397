mod calls;
mod control;
mod fake;
mod fixtures;

use serde_json::{Value as Json, json};

use fake::{Ran, scenario};

use super::*;

fn run(tasks: Json) -> Ran {
    scenario(tasks).run()
}

fn set(value: &str) -> Json {
    json!({"set": {"x": value}})
}

#[test]
fn tasks_run_in_order_and_the_last_output_is_the_workflows() {
    let ran = run(json!([
        {"a": {"set": {"n": "${ 1 + 1 }", "m": "text"}}},
        {"b": {"set": {"n": "${ $data.n * 10 }", "both": "${ [$data.n, .m] }"}}}
    ]));
    assert_eq!(ran.output(), &json!({"n": 20, "both": [2, "text"]}));
    assert_eq!((ran.data("m"), ran.data("n")), (json!("text"), json!(20)));
    assert_eq!(ran.states(), ["a:c", "b:c"]);
    assert_eq!(ran.data("__stigmer_execution_id"), json!("wex-1"));
    assert_eq!(ran.data("task"), json!({"name": "b"}));
}

#[test]
fn exports_go_into_the_context_and_output_shapes_what_is_passed_on() {
    let ran = run(json!([
        {"a": {"set": {"v": {"k": 7}}, "output": {"as": "${ .v }"}, "export": {"as": {"kept": "${ .k }"}}}},
        {"b": set("${ [$context.a.kept, $output.k, $data.v.k] }")}
    ]));
    assert_eq!(ran.data("x"), json!([7, 7, 7]));
}

#[test]
fn a_condition_decides_whether_a_task_runs() {
    let ran = run(json!([
        {"no": {"if": "${ false }", "set": {"x": "no"}, "then": "end"}},
        {"yes": {"if": "${ \"TRUE\" }", "set": {"x": "yes"}}},
        {"bad": {"if": "${ [1] }", "set": {"x": "bad"}}}
    ]));
    assert_eq!(
        ran.error(),
        "task 'bad' failed: condition ${ [1] } must be a boolean, got array"
    );
    assert_eq!(ran.states(), ["no:s", "yes:c", "bad:f"]);
    let Err(Stop::Failed(error)) = ran.result else {
        unreachable!("checked above")
    };
    assert_eq!(error.fault.kind, "If statement error");
}

#[test]
fn then_jumps_forwards_and_backwards_leaves_the_list_or_ends_the_workflow() {
    let forward =
        run(json!([{"a": {"set": {"x": "1"}, "then": "c"}}, {"b": set("2")}, {"c": set("3")}]));
    assert_eq!(forward.states(), ["a:c", "c:c", "b:s"]);

    let backward = run(json!([
        {"first": {"set": {"n": 0}}},
        {"count": {"set": {"n": "${ $data.n + 1 }"}}},
        {"again": {"switch": [{"more": {"when": "${ $data.n < 3 }", "then": "count"}}]}}
    ]));
    assert_eq!(backward.data("n"), json!(3));
    assert_eq!(
        backward.states(),
        [
            "first:c",
            "count:c",
            "again:c",
            "count#2:c",
            "again#2:c",
            "count#3:c",
            "again#3:c"
        ]
    );

    let list = json!([{"i": {"set": {"x": "in"}, "then": "exit"}}, {"j": set("never")}]);
    let exit = run(
        json!([{"t": {"try": list, "catch": {"do": [{"k": set("k")}]}}}, {"after": set("after")}]),
    );
    assert_eq!(exit.states(), ["t:c", "t/try/i:c", "after:c"]);

    let list = json!([{"i": {"set": {"x": "in"}, "then": "end"}}]);
    let end = run(
        json!([{"t": {"try": list, "catch": {"do": [{"k": set("k")}]}}}, {"after": set("after")}]),
    );
    assert_eq!(end.states(), ["t:c", "t/try/i:c", "after:s"]);
    assert_eq!(end.output(), &json!({"x": "in"}));
}

#[test]
fn a_switch_takes_the_first_case_that_holds_and_flows_on_from_there() {
    let cases = |x: &str| {
        run(json!([
            {"set": {"set": {"v": x}}},
            {"choose": {"switch": [
                {"one": {"when": "${ $data.v == 'one' }", "then": "first"}},
                {"both": {"when": "${ $data.v | startswith(\"o\") }", "then": "second"}},
                {"stop": {"when": "${ $data.v } == \"stop\"", "then": "end"}}
            ]}},
            {"default": set("0")},
            {"first": {"set": {"x": "1"}, "then": "end"}},
            {"second": set("2")},
            {"third": set("3")}
        ]))
        .states()[2..]
            .join(" ")
    };
    assert_eq!(cases("one"), "first:c default:s second:s third:s");
    assert_eq!(cases("other"), "second:c third:c default:s first:s");
    assert_eq!(cases("stop"), "default:s first:s second:s third:s");
    assert_eq!(cases("none"), "default:c first:c second:s third:s");
}

#[test]
fn flow_that_never_ends_ends_with_an_error() {
    let ran = run(json!([{"a": {"if": "${ true }", "set": {"x": "1"}, "then": "a"}}]));
    assert_eq!(
        ran.error(),
        "task 'a' failed: the workflow has begun 5000 tasks; does it loop for ever?"
    );
    assert!(ran.tasks.len() <= 2000);
}

#[test]
fn many_tasks_in_a_row_let_the_world_have_turns() {
    let tasks = |count: u32| {
        let ran = run(json!([{"l": {"for": {"each": "i", "in": count}, "do": [{"a": set("1")}]}}]));
        ran.result.expect("it ends");
        ran.millis
    };
    // The loop itself is a task too.
    assert_eq!(
        [tasks(49), tasks(50), tasks(99), tasks(1000)],
        [0, 1, 1, 20]
    );
}

#[test]
fn an_expression_error_names_its_task_and_stops_the_workflow() {
    let ran =
        run(json!([{"a": set("1")}, {"b": set("${ $context | .a.b.c | keys }")}, {"c": set("3")}]));
    assert!(
        ran.error()
            .starts_with("task 'b' failed: jq evaluation error: "),
        "{}",
        ran.error()
    );
    assert_eq!(ran.states(), ["a:c", "b:f", "c:s"]);
}

#[test]
fn records_hold_times_types_and_values() {
    let ran = run(json!([{"a": set("1")}, {"w": {"wait": {"seconds": 2}}}, {"b": set("2")}]));
    let [a, w, b] = ran.tasks.as_slice() else {
        panic!("three records")
    };
    assert_eq!(
        (a.started_at.as_str(), a.completed_at.as_str()),
        ("2023-11-14T22:13:20.000000Z", "2023-11-14T22:13:20.000000Z")
    );
    assert_eq!(w.completed_at, "2023-11-14T22:13:22.000000Z");
    assert_eq!(b.task_type().as_str_name(), "WORKFLOW_TASK_TRANSFORM");
    assert_eq!(
        stigmer_api::json::from_struct(b.output.as_ref().unwrap()),
        *json!({"x": "2"}).as_object().unwrap()
    );
    assert!(w.output.is_none());
}

#[test]
fn a_value_too_large_for_the_record_is_noted() {
    let ran = run(json!([{"a": set("${ \"x\" * 100000 }")}, {"b": set("${ $data.x | length }")}]));
    assert_eq!(ran.output(), &json!({"x": 100_000}));
    assert_eq!(
        ran.tasks[0]
            .output
            .as_ref()
            .unwrap()
            .fields
            .keys()
            .collect::<Vec<_>>(),
        ["omitted"]
    );
}

#[test]
fn an_interrupt_stops_everything_and_nothing_catches_it() {
    let ran = scenario(json!([
        {"t": {"try": [{"w": {"wait": {"seconds": 60}}}], "catch": {"do": [{"k": set("caught")}]}}},
        {"z": set("after")}
    ]))
    .interrupted(1000)
    .run();
    assert_eq!(ran.result, Err(Stop::Interrupted("cancelled")));
    assert_eq!(ran.millis, 1000);
    assert_eq!(ran.states(), ["t:s", "t/try/w:s", "z:s"]);
    assert_eq!(ran.tasks[1].error, "the workflow was cancelled");
}
