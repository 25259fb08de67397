//! The workflows of fixtures 07 to 11 as stored specs: converted, validated, run.

use serde_json::{Value as Json, json};
use stigmer_api::{json::from_json, workflow::WorkflowSpec};

use super::{
    super::*,
    fake::{Ran, scenario},
};
use crate::{convert, validate};

/// Runs a spec's tasks the way a stored workflow goes: through the document.
fn run(tasks: Json, answer: impl Fn(&str) -> (u64, Result<Json, Fault>) + 'static) -> Ran {
    let document = json!({"dsl": "1.0.0", "namespace": "n", "name": "w", "version": "1.0.0"});
    let spec: WorkflowSpec =
        from_json(&json!({"document": document, "tasks": tasks})).expect("a spec in JSON");
    let validation = validate::validation(Some(&spec));
    assert_eq!(validation.errors, [""; 0]);
    let workflow = convert::workflow(&spec).expect("it was valid");
    let answer = move |request: &Request| match &request.call {
        Outgoing::Http(call) => answer(&call.endpoint.uri),
        other => panic!("an HTTP call, not {other:?}"),
    };
    scenario(serde_json::to_value(&workflow.tasks).expect("tasks are JSON"))
        .answering(answer)
        .run()
}

fn http(name: &str, uri: &str) -> Json {
    json!({"name": name, "kind": "WORKFLOW_TASK_KIND_HTTP_CALL", "export": {"as": "${.}"},
        "taskConfig": {"method": "GET", "endpoint": {"uri": uri}, "timeout_seconds": 30}})
}

fn set(name: &str, variables: Json) -> Json {
    json!({"name": name, "kind": "WORKFLOW_TASK_KIND_SET", "export": {"as": "${.}"}, "taskConfig": {"variables": variables}})
}

fn then(mut task: Json, then: &str) -> Json {
    task["flow"] = json!({"then": then});
    task
}

fn switch(name: &str, cases: Json) -> Json {
    json!({"name": name, "kind": "WORKFLOW_TASK_KIND_SWITCH", "taskConfig": {"cases": cases}})
}

fn ok(json: Json) -> (u64, Result<Json, Fault>) {
    (1, Ok(json))
}

fn completed(ran: &Ran) -> Vec<&str> {
    ran.tasks
        .iter()
        .filter(|t| t.status == 3)
        .map(|t| t.task_name.as_str())
        .collect()
}

#[test]
fn fix_07_the_fields_of_the_answer_reach_the_next_task() {
    let ran = run(
        json!([
            http("fetchPullRequest", "http://hub/pulls/1"),
            set(
                "processResponse",
                json!({"prTitle": "${ $context[\"fetchPullRequest\"].title }", "prAuthor": "${ $context[\"fetchPullRequest\"].user.login }", "status": "success"})
            )
        ]),
        |_| ok(json!({"title": "feat: add greeting", "user": {"login": "octo"}})),
    );
    assert_eq!(
        ran.output(),
        &json!({"prTitle": "feat: add greeting", "prAuthor": "octo", "status": "success"})
    );
    assert_eq!(ran.states(), ["fetchPullRequest:c", "processResponse:c"]);
}

fn deployment(state: &'static str) -> Ran {
    let by_state = json!([
        {"name": "closed", "when": "${ $context[\"checkPR\"].state == \"closed\" }", "then": "deployProduction"},
        {"name": "open", "when": "${ $context[\"checkPR\"].state == \"open\" }", "then": "deployStaging"},
        {"name": "other", "then": "handleError"}
    ]);
    let tasks = json!([
        http("checkPR", "http://hub/pulls/1"),
        switch("deployByState", by_state),
        then(
            set(
                "deployProduction",
                json!({"environment": "production", "replicas": "5"})
            ),
            "done"
        ),
        then(
            set(
                "deployStaging",
                json!({"environment": "staging", "replicas": "2"})
            ),
            "done"
        ),
        then(set("handleError", json!({"status": "failed"})), "done"),
        set("done", json!({"end": "yes"}))
    ]);
    run(tasks, move |_| ok(json!({"state": state})))
}

#[test]
fn fix_08a_exactly_one_branch_runs() {
    assert_eq!(
        completed(&deployment("closed")),
        ["checkPR", "deployByState", "deployProduction", "done"]
    );
    assert_eq!(
        completed(&deployment("open")),
        ["checkPR", "deployByState", "deployStaging", "done"]
    );
    let other = deployment("merged");
    assert_eq!(
        completed(&other),
        ["checkPR", "deployByState", "handleError", "done"]
    );
    assert_eq!(other.data("status"), json!("failed"));
}

#[test]
fn fix_08b_boundaries_are_exact() {
    let monitor = |issues: u32, stars: u32| {
        let cases = json!([
            {"name": "critical", "when": "${ $context[\"metrics\"].open_issues > 10 }", "then": "alertCritical"},
            {"name": "warning", "when": "${ $context[\"metrics\"].stars >= 100 }", "then": "alertWarning"},
            {"name": "normal", "then": "continueNormal"}
        ]);
        let ran = run(
            json!([
                http("metrics", "http://hub/repo"),
                switch("monitor", cases),
                then(set("alertCritical", json!({"a": "1"})), "end"),
                then(set("alertWarning", json!({"a": "2"})), "end"),
                set("continueNormal", json!({"a": "3"}))
            ]),
            move |_| ok(json!({"open_issues": issues, "stars": stars})),
        );
        ran.data("a")
    };
    assert_eq!(
        [monitor(11, 0), monitor(10, 100), monitor(10, 99)],
        [json!("1"), json!("2"), json!("3")]
    );
}

#[test]
fn fix_08c_texts_are_searched_and_the_first_match_wins() {
    let status = |title: &'static str, body: &'static str| {
        let cases = json!([
            {"name": "fix", "when": "${ $context[\"pr\"].title | contains(\"fix\") }", "then": "handleDeploymentError"},
            {"name": "feature", "when": "${ $context[\"pr\"].title | startswith(\"feat:\") }", "then": "initiateRollback"},
            {"name": "urgent", "when": "${ $context[\"pr\"].body | test(\"urgent\") }", "then": "markSuccess"},
            {"name": "none", "then": "investigateStatus"}
        ]);
        let names = [
            "handleDeploymentError",
            "initiateRollback",
            "markSuccess",
            "investigateStatus",
        ];
        let mut tasks = vec![http("pr", "http://hub/pulls/1"), switch("status", cases)];
        tasks.extend(names.map(|name| then(set(name, json!({"ran": name})), "end")));
        run(Json::Array(tasks), move |_| {
            ok(json!({"title": title, "body": body}))
        })
        .data("ran")
    };
    assert_eq!(status("a fix", ""), json!("handleDeploymentError"));
    assert_eq!(status("feat: x", ""), json!("initiateRollback"));
    assert_eq!(status("x", "most urgent"), json!("markSuccess"));
    assert_eq!(status("x", "calm"), json!("investigateStatus"));
    assert_eq!(
        status("feat: fix", "urgent"),
        json!("handleDeploymentError")
    );
}

fn commits(list: Json) -> Ran {
    let analyze = set(
        "analyzeCommit",
        json!({"sha": "${ .commit.sha }", "message": "${ $data.commit.commit.message }", "label": "#${ .index } ${ .commit.sha }"}),
    );
    run(
        json!([
            http("fetchCommits", "http://hub/commits"),
            {"name": "processEachCommit", "kind": "WORKFLOW_TASK_KIND_FOR", "export": {"as": "${.}"},
                "taskConfig": {"each": "commit", "in": "${ $context[\"fetchCommits\"] }", "do": [analyze]}},
            set("collectResults", json!({"loopCompleted": "true", "status": "completed"}))
        ]),
        move |_| ok(list.clone()),
    )
}

#[test]
fn fix_09_every_commit_is_an_iteration_in_order() {
    let commit = |sha: &str| json!({"sha": sha, "commit": {"message": format!("m {sha}")}});
    let ran = commits(json!([commit("a1"), commit("b2"), commit("c3")]));
    let outputs = ran.data("processEachCommit");
    assert_eq!(
        outputs
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["sha"].clone())
            .collect::<Vec<_>>(),
        ["a1", "b2", "c3"]
    );
    assert_eq!(
        outputs[1],
        json!({"sha": "b2", "message": "m b2", "label": "#1 b2"})
    );
    assert_eq!(
        ran.output(),
        &json!({"loopCompleted": "true", "status": "completed"})
    );
    assert_eq!(commits(json!([])).data("processEachCommit"), json!([]));
    let many = commits((0..200).map(|n| commit(&n.to_string())).collect());
    assert_eq!(
        many.data("processEachCommit").as_array().unwrap().len(),
        200
    );
    assert_eq!(many.tasks.len(), 203);
}

#[test]
fn fix_09b_an_object_instead_of_a_list_names_the_loop() {
    // An object is iterable; what its values lack is seen in the first iteration.
    let ran = commits(json!({"message": "rate limited"}));
    assert!(
        ran.error().starts_with(
            "task 'processEachCommit' failed: iteration 0: task 'analyzeCommit' failed: "
        ),
        "{}",
        ran.error()
    );
    assert_eq!(
        commits(json!("text")).error(),
        "task 'processEachCommit' failed: for task data is not iterable: expected map, array, or int, got string: \"text\""
    );
}

fn resilient(answer: (u64, Result<Json, Fault>)) -> Ran {
    run(
        json!([
            {"name": "attemptGitHubCall", "kind": "WORKFLOW_TASK_KIND_TRY", "export": {"as": "${.}"}, "taskConfig": {
                "try": [http("fetch", "http://hub/x")],
                "catch": {"as": "error", "do": [set("handleError", json!({"error": "${ .error.message }", "retryable": "true"}))]}}},
            switch("checkRetry", json!([{"name": "success", "when": "${ $context[\"attemptGitHubCall\"].success == true }", "then": "logSuccess"}, {"name": "failed", "then": "logFailure"}])),
            then(set("logSuccess", json!({"log": "success"})), "end"),
            set("logFailure", json!({"log": "failure"}))
        ]),
        move |_| answer.clone(),
    )
}

#[test]
fn fix_10_a_failure_is_caught_once_and_the_workflow_completes() {
    let good = resilient(ok(json!({"id": 1})));
    assert_eq!(
        completed(&good),
        ["attemptGitHubCall", "fetch", "checkRetry", "logFailure"]
    );
    for status in [500, 404] {
        let fault = Fault {
            kind: "CallHTTP error".into(),
            message: format!("CallHTTP returned {status}"),
            status: Some(status),
        };
        let bad = resilient((1, Err(fault)));
        assert_eq!(
            completed(&bad),
            [
                "attemptGitHubCall",
                "handleError",
                "checkRetry",
                "logFailure"
            ]
        );
        assert_eq!(
            (bad.data("retryable"), bad.data("error")),
            (json!("true"), json!(format!("CallHTTP returned {status}")))
        );
    }
}

fn parallel(answer: impl Fn(&str) -> (u64, Result<Json, Fault>) + 'static) -> Ran {
    let branch = |name: &str| json!({"name": name, "do": [http(&format!("fetch-{name}"), &format!("http://hub/{name}"))]});
    run(
        json!([
            {"name": "fetchAllGitHubData", "kind": "WORKFLOW_TASK_KIND_FORK", "export": {"as": "${.}"},
                "taskConfig": {"branches": [branch("pulls"), branch("issues"), branch("commits")]}},
            set("mergeResults", json!({"title": "${ $context[\"fetchAllGitHubData\"].pulls.title }", "issues": "${ $context[\"fetch-issues\"] | length }", "status": "merged"})),
            set("processMerged", json!({"count": "${ $context[\"mergeResults\"] | length }", "at": "${ now() | floor }"}))
        ]),
        answer,
    )
}

#[test]
fn fix_11_branches_overlap_and_their_results_are_merged() {
    let ran = parallel(|uri| {
        (
            1000,
            Ok(if uri.ends_with("issues") {
                json!([1, 2])
            } else {
                json!({"title": uri})
            }),
        )
    });
    assert_eq!((ran.millis, ran.most_running), (1000, 3));
    assert_eq!(ran.data("mergeResults"), Json::Null);
    assert_eq!(
        [ran.data("title"), ran.data("issues"), ran.data("status")],
        [json!("http://hub/pulls"), json!(2), json!("merged")]
    );
    assert_eq!(ran.output(), &json!({"count": 3, "at": 1_700_000_001}));

    let failed = parallel(|uri| {
        if uri.ends_with("issues") {
            (10, Err(Fault::new("CallHTTP error", "500")))
        } else {
            ok(Json::Null)
        }
    });
    assert_eq!(
        failed.error(),
        "task 'fetchAllGitHubData' failed: error executing forked branch issues: task 'fetch-issues' failed: 500"
    );
}
