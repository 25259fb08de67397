use serde_json::json;

use super::{super::*, fake::scenario, set};
use crate::secrets;

fn http(config: serde_json::Value) -> serde_json::Value {
    json!({"call": "http", "with": config, "timeout": {"after": {"seconds": 30}}, "export": {"as": "${.}"}})
}

#[test]
fn a_calls_expressions_are_evaluated_and_its_answer_is_kept() {
    let ran = scenario(json!([
        {"a": {"set": {"id": 7, "who": "me"}}},
        {"get": http(json!({"method": "post", "endpoint": {"uri": "http://x/${ $data.id }"}, "headers": {"A": "${ .who }", "N": "${ .id }"},
            "body": {"deep": [{"v": "${ {k: .id} }"}]}}))},
        {"z": set("${ [$data.get.n, $context.get.n, $output.n] }")}
    ]))
    .answering(|_| (5, Ok(json!({"n": 1}))))
    .run();
    assert_eq!(ran.data("x"), json!([1, 1, 1]));
    let [request] = ran.requests.as_slice() else {
        panic!("one request")
    };
    let Outgoing::Http(call) = &request.call else {
        panic!("an HTTP call")
    };
    assert_eq!(
        (call.method.as_str(), call.endpoint.uri.as_str()),
        ("POST", "http://x/7")
    );
    assert_eq!(json!(call.headers), json!({"A": "me", "N": 7}));
    assert_eq!(call.body, Some(json!({"deep": [{"v": {"k": 7}}]})));
    assert_eq!(
        (
            request.task_id.as_str(),
            request.timeout.map(|t| t.as_secs())
        ),
        ("get", Some(30))
    );
}

#[test]
fn secrets_are_markers_on_the_way_and_placeholders_in_records() {
    let ran = scenario(json!([
        {"s": {"set": {"auth": "Bearer ${.secrets.TOKEN}", "region": "${.env_vars.REGION}", "env": "${ $env.TOKEN.value }"}}},
        {"get": http(json!({"method": "GET", "endpoint": {"uri": "http://x?r=${.secrets.REGION}"}, "headers": {"A": "${ .auth }", "B": "${.env_vars.TOKEN}"}}))}
    ]))
    .run();
    let Outgoing::Http(call) = &ran.requests[0].call else {
        panic!("an HTTP call")
    };
    let environment = secrets::tests::environment();
    let marker = &environment.placeholders()["TOKEN"];
    assert_eq!(call.headers["A"], json!(format!("Bearer {marker}")));
    assert_eq!(call.endpoint.uri, "http://x?r=eu-1");
    assert_eq!(
        environment.reveal(&call.headers["B"]),
        json!("tok-12345678")
    );
    assert_eq!(
        (ran.data("auth"), ran.data("env")),
        (
            json!("Bearer ${.secrets.TOKEN}"),
            json!("${.secrets.TOKEN}")
        )
    );
    let everything = format!("{:?} {:?}", ran.tasks, ran.result);
    assert!(
        !everything.contains(marker) && !everything.contains("tok-12345678"),
        "{everything}"
    );
}

/// FIX-14c: a missing variable is named.
#[test]
fn a_missing_secret_fails_the_task_naming_it() {
    let ran = scenario(json!([{"get": http(json!({"method": "GET", "endpoint": {"uri": "http://x"}, "headers": {"A": "${.secrets.NOPE}"}}))}])).run();
    assert_eq!(
        ran.error(),
        "task 'get' failed: failed to resolve runtime placeholders: secrets.NOPE"
    );
    assert!(ran.requests.is_empty());
}

#[test]
fn an_endpoint_must_be_a_text() {
    let run = |uri: &str| {
        scenario(json!([{"get": http(json!({"method": "GET", "endpoint": {"uri": uri}}))}]))
            .run()
            .error()
    };
    assert_eq!(
        run("${ .nope }"),
        "task 'get' failed: expression evaluation returned nil for: ${ .nope }"
    );
    assert_eq!(
        run("${ [1] }"),
        "task 'get' failed: endpoint.uri must be a string, got array"
    );
}

#[test]
fn a_failed_call_stops_the_workflow_and_later_tasks_do_not_run() {
    let ran = scenario(
        json!([{"get": http(json!({"method": "GET", "endpoint": "http://x"}))}, {"z": set("1")}]),
    )
    .answering(|_| {
        (
            1,
            Err(Fault {
                kind: "CallHTTP error".into(),
                message: "CallHTTP returned 4xx status code".into(),
                status: Some(404),
            }),
        )
    })
    .run();
    assert_eq!(
        ran.error(),
        "task 'get' failed: CallHTTP returned 4xx status code"
    );
    assert_eq!(ran.states(), ["get:f", "z:s"]);
    assert_eq!(ran.tasks[0].error, "CallHTTP returned 4xx status code");
}

#[test]
fn an_agents_message_must_be_a_text() {
    let agent = |message: &str| json!([{"s": {"set": {"n": 5}}}, {"ask": {"call": "agent", "with": {"agent": "a", "message": message, "env": {"N": "${ .n }"}}}}]);
    let ran = scenario(agent("n is ${ .n }"))
        .answering(|_| (1, Ok(json!("the answer"))))
        .run();
    assert_eq!(ran.output(), &json!("the answer"));
    assert_eq!(ran.data("ask"), json!("the answer"));
    let Outgoing::Agent(call) = &ran.requests[0].call else {
        panic!("an agent call")
    };
    assert_eq!(
        (call.message.as_str(), &call.env["N"]),
        ("n is 5", &json!(5))
    );
    assert_eq!(
        scenario(agent("${ .n }")).run().error(),
        "task 'ask' failed: message expression must evaluate to string, got number"
    );
}

#[test]
fn a_workflow_is_run_with_its_input_and_sees_it() {
    let ran = scenario(
        json!([{"sub": {"run": {"workflow": {"name": "other", "input": {"a": "${ 1 + 1 }"}}}}}]),
    )
    .answering(|_| (1, Ok(json!({"done": true}))))
    .run();
    let Outgoing::Workflow(run) = &ran.requests[0].call else {
        panic!("a workflow")
    };
    assert_eq!(
        (run.name.as_str(), run.input.clone()),
        ("other", Some(json!({"a": 2})))
    );
    assert_eq!(ran.data("sub"), json!({"done": true}));
    assert_eq!(
        scenario(json!([{"s": set("${ $input.a }")}]))
            .input(json!({"a": 3}))
            .run()
            .data("x"),
        json!(3)
    );
}

/// A task inside a loop is evaluated anew each time.
#[test]
fn a_call_in_a_loop_does_not_repeat_the_first_iteration() {
    let body = json!([{"get": http(json!({"method": "GET", "endpoint": "http://x/${ .item }"}))}]);
    let ran = scenario(json!([{"l": {"for": {"in": "${ [1, 2, 3] }"}, "do": body}}])).run();
    let uris = ran.requests.iter().map(|request| match &request.call {
        Outgoing::Http(call) => call.endpoint.uri.as_str(),
        _ => "?",
    });
    assert_eq!(
        uris.collect::<Vec<_>>(),
        ["http://x/1", "http://x/2", "http://x/3"]
    );
    assert_eq!(
        ran.requests
            .iter()
            .map(|r| r.task_id.as_str())
            .collect::<Vec<_>>(),
        ["l/0/get", "l/1/get", "l/2/get"]
    );
}
