//! The page as a reader of its data sees it.

use camino::Utf8Path;
use serde_json::{Value, json};
use stigmer_e2e_report::{ReportError, compare, render, trace};

use crate::results::{append, results, write};

/// The JSON of a script element.
fn data(page: &str, id: &str) -> Value {
    let start = format!("<script type=\"application/json\" id=\"{id}\">");
    let (_, rest) = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no element {id}"));
    let (json, _) = rest.split_once("</script>").expect("the element ends");
    serde_json::from_str(json).expect("JSON")
}

#[test]
fn a_story_has_all_that_was_recorded_in_the_order_of_time() {
    let results = results(&[("run::run_01_x", "failed", 900)]);
    let test = results.path.join("tests/run_01_x");
    append(
        &test,
        "cli/01-run.txt",
        "$ stigmer run x\n[started at 10 ms]\n    0.002 out | hello\n[exit status: 1 after 3ms]\n",
    );
    append(
        &test,
        "grpc.jsonl",
        "{\"at_ms\":11,\"method\":\"/a.v1.AgentQueryController/get\",\"ms\":1,\"response\":{}}\n{\"cut",
    );
    append(
        &test,
        "faults.jsonl",
        "{\"at_ms\":8,\"fault\":\"the link is cut\"}\n",
    );
    append(
        &test,
        "env-1/stigmer-server.log",
        "2026-01-01T00:00:00.020Z ERROR it broke\n  because\n",
    );
    let task =
        json!({"metadata": {"kind": "WORKFLOW_TASK_KIND_WAIT"}, "status": "WORKFLOW_TASK_FAILED"});
    let records = json!({"workflow_execution": [{"status": {"tasks": [task]}}]});
    write(&test.join("env-1"), "records.json", &records);
    let page = render(&results.path).expect("a page");
    let story = data(&page, "data-0");
    let seen: Vec<(f64, &str, &str, bool)> = story["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            let text = |part: usize| entry[part].as_str().unwrap_or_default();
            (
                entry[0].as_f64().unwrap_or_default().round(),
                text(1),
                text(2),
                entry[3] == 1,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (5.0, "step", "apply", false),
            (8.0, "fault", "the link is cut", false),
            (10.0, "cli", "$ stigmer run x", false),
            (11.0, "grpc", "AgentQueryController/get: OK in 1 ms", false),
            (12.0, "cli", "hello", false),
            (12.0, "cli", "[exit status: 1 after 3ms]", false),
            (20.0, "stigmer-server", "ERROR it broke", true),
            (20.0, "stigmer-server", "  because", false),
        ]
    );
    let faults = &data(&page, "data-run")["timeline"]["faults"];
    let text = "the link is cut";
    assert_eq!(
        *faults,
        json!([{"at": 8.0, "text": text, "test": "run_01_x"}])
    );
    let used = &data(&page, "data-run")["used"];
    assert_eq!(
        used["commands"],
        json!({"stigmer run": {"exit status: 1": 1}})
    );
    assert_eq!(
        used["methods"],
        json!({"/a.v1.AgentQueryController/get": {"OK": 1}})
    );
    assert_eq!(used["tasks"], json!({"WAIT": {"FAILED": 1}}));
}

#[test]
fn what_a_test_printed_cannot_become_a_part_of_the_page() {
    let results = results(&[("a::app_01_x", "passed", 1)]);
    let evil = "</script><script>alert(1)</script><!-- {{DATA}}";
    append(
        &results.path.join("tests/app_01_x"),
        "cli/01-a.txt",
        &format!("$ stigmer apply\n    0.001 out | {evil}\n"),
    );
    let page = render(&results.path).expect("a page");
    assert!(!page.contains("<script>alert"), "the text is markup");
    assert_eq!(data(&page, "data-0")["entries"][1][2], evil);
}

#[test]
fn a_run_that_was_cut_off_has_a_report() {
    let results = results(&[]);
    append(
        &results.path,
        "events.jsonl",
        "{\"time\":\"2026-01-01T00:00:01Z\",\"event\":\"phase\",\"name\":\"up\",\"ms\":400,\"summary\":\"s\"}\n{\"ti",
    );
    let run = data(&render(&results.path).expect("a page"), "data-run");
    assert_eq!(run["timeline"]["phases"][0]["from"], 600.0);
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = render(&results(&[]).path).expect("a page");
    for foreign in ["src=\"http", "href=\"http", "url(http", "@import", "fetch("] {
        assert!(
            !page.contains(foreign),
            "the page asks for something: {foreign}"
        );
    }
}

#[test]
fn a_folder_that_no_run_wrote_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let error = render(path).expect_err("no run");
    assert!(
        matches!(&error, ReportError::NoRun { folder, .. } if folder == path),
        "{error}"
    );
}

#[test]
fn two_runs_are_compared_by_verdict_and_time() {
    let before = results(&[("a::x", "passed", 10), ("a::y", "passed", 1000)]);
    let after = results(&[("a::x", "failed", 10), ("a::y", "passed", 1001)]);
    let comparison = compare(&before.path, &after.path).expect("compared");
    let changed: Vec<&str> = comparison
        .changes
        .iter()
        .map(|change| change.test.as_str())
        .collect();
    assert_eq!(changed, ["a::x"]);
    assert_eq!(comparison.inputs, []);
}

#[test]
fn the_trace_has_every_test_on_a_track_with_its_steps_inside() {
    let results = results(&[("a::x", "passed", 900)]);
    append(
        &results.path,
        "events.jsonl",
        "{\"time\":\"2026-01-01T00:00:01Z\",\"event\":\"test-ended\",\"name\":\"a::x\",\"ms\":900,\"verdict\":\"passed\"}\n",
    );
    let trace = trace(&results.path).expect("a trace");
    let spans: Vec<(&str, i64, i64)> = trace["traceEvents"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| {
            let number = |field: &str| event[field].as_i64().unwrap_or_default();
            let name = event["name"].as_str().unwrap_or_default();
            (name, number("ts"), number("dur"))
        })
        .collect();
    assert_eq!(
        spans,
        [("a::x", 100_000, 900_000), ("apply", 105_000, 895_000)]
    );
}
