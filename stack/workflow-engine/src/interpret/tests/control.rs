use serde_json::{Value as Json, json};

use super::{super::*, fake::scenario, run, set};

fn get(uri: &str) -> Json {
    json!({"call": "http", "with": {"method": "GET", "endpoint": uri}, "export": {"as": "${.}"}})
}

fn uri(request: &Request) -> String {
    match &request.call {
        Outgoing::Http(call) => call.endpoint.uri.clone(),
        other => panic!("an HTTP call, not {other:?}"),
    }
}

fn failure(message: &str, status: u16) -> Result<Json, Fault> {
    Err(Fault {
        kind: "CallHTTP error".into(),
        message: message.into(),
        status: Some(status),
    })
}

#[test]
fn a_loop_gives_what_each_iteration_gave_and_leaks_nothing() {
    let ran = run(json!([
        {"l": {"for": {"each": "c", "at": "i", "in": "${ [\"a\", \"b\"] }"}, "do": [{"in": set("${ \"\\($data.c)\\(.i)\" }")}]}},
        {"z": {"set": {"c": "${ .c }", "i": "${ .i }", "x": "${ .x }", "l": "${ .l }"}}}
    ]));
    assert_eq!(
        ran.output(),
        &json!({"c": null, "i": null, "x": null, "l": [{"x": "a0"}, {"x": "b1"}]})
    );
    assert_eq!(ran.states(), ["l:c", "l/0/in:c", "l/1/in:c", "z:c"]);
}

#[test]
fn a_loop_runs_over_lists_objects_and_numbers() {
    let over = |source: &str| {
        run(
            json!([{"l": {"for": {"in": source}, "do": [{"in": {"set": {"v": "${ [.index, .item] }"}, "output": {"as": "${ .v }"}}}]}}]),
        )
    };
    assert_eq!(over("${ [5] }").output(), &json!([[0, 5]]));
    assert_eq!(
        over("${ {b: 1, a: 2} }").output(),
        &json!({"a": ["a", 2], "b": ["b", 1]})
    );
    assert_eq!(over("${ 2 }").output(), &json!([[0, 0], [1, 1]]));
    assert_eq!(over("${ [] }").output(), &json!([]));
}

/// FIX-09b: what is not a list names the loop.
#[test]
fn what_is_not_iterable_is_an_error_naming_the_loop() {
    for (source, got) in [
        ("${ null }", "null: null"),
        ("${ \"text\" }", "string: \"text\""),
        ("${ 1.5 }", "number: 1.5"),
        ("plain", "string: \"plain\""),
    ] {
        let ran = run(json!([{"each": {"for": {"in": source}, "do": [{"in": set("1")}]}}]));
        assert_eq!(
            ran.error(),
            format!(
                "task 'each' failed: for task data is not iterable: expected map, array, or int, got {got}"
            )
        );
    }
    assert!(
        run(json!([{"each": {"for": {"in": "${ 1e9 }"}, "do": [{"in": set("1")}]}}]))
            .error()
            .contains("1000000000 iterations are more")
    );
}

#[test]
fn while_ends_a_loop_and_a_failing_iteration_is_named() {
    let ran = run(
        json!([{"l": {"for": {"in": "${ [1, 2, 3] }"}, "while": "${ .item < 3 }", "do": [{"in": set("${ .item }")}]}}]),
    );
    assert_eq!(ran.output(), &json!([{"x": 1}, {"x": 2}]));
    let failed = run(
        json!([{"l": {"for": {"in": "${ [1, 0] }"}, "do": [{"in": set("${ if .item == 0 then error(\"zero\") else 1 end }")}]}}]),
    );
    assert!(
        failed.error().starts_with(
            "task 'l' failed: iteration 1: task 'in' failed: jq evaluation error: zero"
        ),
        "{}",
        failed.error()
    );
    assert_eq!(failed.states(), ["l:f", "l/0/in:c", "l/1/in:f"]);
}

#[test]
fn end_in_a_loop_ends_the_workflow() {
    let ran = run(
        json!([{"l": {"for": {"in": "${ [1, 2] }"}, "do": [{"in": {"set": {"x": "1"}, "then": "end"}}]}}, {"z": set("2")}]),
    );
    assert_eq!(ran.states(), ["l:c", "l/0/in:c", "z:s"]);
}

/// FIX-11: three branches of a second each are over after one.
#[test]
fn branches_run_side_by_side_and_are_joined() {
    let branch = |name: &str| json!([{format!("get-{name}"): get(&format!("http://{name}"))}, {format!("set-{name}"): set(name)}]);
    let ran = scenario(json!([
        {"f": {"fork": {"branches": [{"a": {"do": branch("x")}}, {"b": {"do": branch("y")}}, {"c": {"do": branch("z")}}]}}},
        {"after": {"set": {"all": "${ [$context[\"get-x\"].from, $data[\"get-y\"].from, $data.f.c.x, .f.branches.c.x, .x] }"}}}
    ]))
    .answering(|request| (1000, Ok(json!({"from": uri(request)}))))
    .run();
    assert_eq!((ran.millis, ran.most_running), (1000, 3));
    // What branches set stays there, what they were answered does not.
    assert_eq!(
        ran.data("all"),
        json!(["http://x", "http://y", "z", "z", null])
    );
    assert_eq!(
        ran.states()[..4],
        ["f:c", "f/a/get-x:c", "f/b/get-y:c", "f/c/get-z:c"]
    );
}

#[test]
fn a_failing_branch_is_named_and_the_others_are_cancelled() {
    let ran = scenario(json!([{"f": {"fork": {"branches": [{"good": {"do": [{"x": get("http://slow")}]}}, {"bad": {"do": [{"y": get("http://bad")}]}}]}}}]))
        .answering(|request| if uri(request) == "http://bad" { (100, failure("500", 500)) } else { (5000, Ok(Json::Null)) })
        .run();
    assert_eq!(
        ran.error(),
        "task 'f' failed: error executing forked branch bad: task 'y' failed: 500"
    );
    assert_eq!((ran.millis, ran.cancelled), (100, 1));
    assert_eq!(ran.states(), ["f:f", "f/good/x:s", "f/bad/y:f"]);
    assert_eq!(ran.tasks[1].error, "another branch failed");
}

#[test]
fn of_competing_branches_the_first_that_succeeds_wins() {
    let ran = scenario(json!([{"f": {"fork": {"compete": true, "branches": [
        {"slow": {"do": [{"x": get("http://slow")}]}}, {"fails": {"do": [{"y": get("http://fails")}]}}, {"fast": {"do": [{"z": get("http://fast")}]}}]}}}]))
    .answering(|request| match uri(request).as_str() {
        "http://slow" => (5000, Ok(Json::Null)),
        "http://fails" => (10, failure("500", 500)),
        _ => (200, Ok(json!("won"))),
    })
    .run();
    assert_eq!(ran.output(), &json!({"fast": "won"}));
    assert_eq!((ran.millis, ran.cancelled), (200, 1));
    assert_eq!(
        ran.states(),
        ["f:c", "f/slow/x:s", "f/fails/y:f", "f/fast/z:c"]
    );

    let all_fail = scenario(json!([{"f": {"fork": {"compete": true, "branches": [{"a": {"do": [{"x": get("u")}]}}, {"b": {"do": [{"y": get("u")}]}}]}}}]))
        .answering(|_| (1, failure("no", 500)))
        .run();
    assert!(
        all_fail
            .error()
            .contains("error executing forked branch b: "),
        "{}",
        all_fail.error()
    );
}

#[test]
fn a_caught_error_is_a_variable_of_the_catch_alone() {
    let ran = scenario(json!([
        {"t": {"try": [{"get": get("u")}, {"never": set("1")}], "catch": {"as": "problem", "do": [
            {"handle": {"set": {"m": "${ .problem.message }", "k": "${ $data.problem.type }", "s": "${ .problem.status }", "t": "${ .problem.task }"}}}]}}},
        {"z": set("${ .problem }")}
    ]))
    .answering(|_| (1, failure("gone", 404)))
    .run();
    assert_eq!(
        ran.data("t"),
        json!({"m": "gone", "k": "CallHTTP error", "s": 404, "t": "get"})
    );
    assert_eq!(ran.data("x"), Json::Null);
    assert_eq!(
        ran.states(),
        ["t:c", "t/try/get:f", "t/catch/handle:c", "z:c"]
    );
}

#[test]
fn a_catch_takes_only_the_errors_it_asks_for() {
    let caught = |catch: Json| {
        let mut catch = catch;
        catch["do"] = json!([{"handle": set("handled")}]);
        scenario(json!([{"t": {"try": [{"get": get("u")}], "catch": catch}}]))
            .answering(|_| (1, failure("gone", 404)))
            .run()
    };
    for (catch, handled) in [
        (json!({}), true),
        (
            json!({"errors": {"with": {"type": "CallHTTP error"}}}),
            true,
        ),
        (
            json!({"errors": {"with": {"type": "*", "status": 404}}}),
            true,
        ),
        (json!({"errors": {"with": {"status": 500}}}), false),
        (json!({"errors": {"with": {"type": "other"}}}), false),
        (json!({"when": "${ .error.status == 404 }"}), true),
        (json!({"when": "${ .error.status == 500 }"}), false),
        (
            json!({"as": "e", "exceptWhen": "${ $data.e.message == \"gone\" }"}),
            false,
        ),
    ] {
        let ran = caught(catch.clone());
        assert_eq!(ran.result.is_ok(), handled, "{catch}");
        if !handled {
            assert_eq!(ran.error(), "task 't' failed: task 'get' failed: gone");
        }
    }
}

#[test]
fn a_retry_waits_longer_each_time_and_ends() {
    let attempts = |retry: Json, works_at: usize| {
        let count = std::cell::Cell::new(0);
        scenario(json!([{"t": {"try": [{"get": get("u")}], "catch": {"retry": retry, "do": [{"handle": set("handled")}]}}}]))
            .answering(move |_| {
                count.set(count.get() + 1);
                (0, if count.get() == works_at { Ok(json!("fine")) } else { failure("busy", 503) })
            })
            .run()
    };
    let retry = json!({"delay": {"seconds": 1}, "backoff": {"exponential": {}}, "limit": {"attempt": {"count": 4}}});
    let works = attempts(retry.clone(), 4);
    assert_eq!(
        (works.requests.len(), works.millis, works.output()),
        (4, 7000, &json!("fine"))
    );
    let never = attempts(retry, 99);
    assert_eq!(
        (never.requests.len(), never.output()),
        (4, &json!({"x": "handled"}))
    );
    assert_eq!(
        attempts(json!({"when": "${ .error.status == 500 }"}), 99)
            .requests
            .len(),
        1
    );
    assert_eq!(attempts(json!({}), 99).requests.len(), 3);
}

#[test]
fn an_error_in_a_catch_goes_on_outwards() {
    let ran = scenario(
        json!([{"t": {"try": [{"get": get("u")}], "catch": {"do": [{"again": get("v")}]}}}]),
    )
    .answering(|_| (1, failure("gone", 404)))
    .run();
    assert_eq!(
        ran.error(),
        "task 't' failed: in its catch: task 'again' failed: gone"
    );
}

#[test]
fn a_raised_error_has_what_its_author_gave() {
    let raise = json!({"raise": {"error": {"type": "Broken ${ 1 + 1 }", "status": 418, "detail": "n is ${ .n }"}}});
    let ran = run(json!([{"s": {"set": {"n": 5}}}, {"r": raise}]));
    assert_eq!(ran.error(), "task 'r' failed: n is 5");
    let Err(Stop::Failed(error)) = &ran.result else {
        unreachable!("checked above")
    };
    assert_eq!(
        (error.fault.kind.as_str(), error.fault.status),
        ("Broken 2", Some(418))
    );
    let caught = run(
        json!([{"t": {"try": [{"r": raise}], "catch": {"do": [{"h": set("${ .error.type }")}]}}}]),
    );
    assert_eq!(caught.data("x"), json!("Broken 2"));
}

#[test]
fn waiting_takes_the_time_it_says() {
    assert_eq!(
        run(json!([{"w": {"wait": {"minutes": 1, "seconds": 30}}}])).millis,
        90_000
    );
}

#[test]
fn listening_gives_what_came_or_fails_when_time_is_over() {
    let event = |id: &str| json!({"with": {"id": id, "type": "signal"}});
    let listen =
        |to: Json| json!([{"l": {"listen": {"to": to}, "timeout": {"after": {"seconds": 10}}}}]);
    let one = scenario(listen(json!({"one": event("go")})))
        .signal(500, "go", json!({"by": "me"}))
        .run();
    assert_eq!((one.output(), one.millis), (&json!({"by": "me"}), 500));
    assert_eq!(one.data("l"), json!({"by": "me"}));
    let any = scenario(listen(json!({"any": [event("a"), event("b")]})))
        .signal(700, "b", json!(2))
        .signal(900, "a", json!(1))
        .run();
    assert_eq!((any.output(), any.millis), (&json!(2), 700));
    let all = scenario(listen(json!({"all": [event("a"), event("b")]})))
        .signal(700, "b", json!(2))
        .signal(900, "a", json!(1))
        .run();
    assert_eq!((all.output(), all.millis), (&json!({"a": 1, "b": 2}), 900));
    let late = scenario(listen(json!({"one": event("go")})))
        .signal(20_000, "go", Json::Null)
        .run();
    assert_eq!(
        (late.error().as_str(), late.millis),
        ("task 'l' failed: timeout: no go within 10 s", 10_000)
    );
}
