//! The page as a reader of its data sees it.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use stigmer_e2e_plan::write_json;
use stigmer_e2e_report::{ReportError, compare, render};

struct Results {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
}

/// A results folder of a run with `tests`: names, verdicts, milliseconds.
fn results(tests: &[(&str, &str, u64)]) -> Results {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
    let run = json!({
        "run_id": "20260101T000000-abcd", "verdict": "failed", "exit_code": 100, "seed": 7, "jobs": 2,
        "started_at": "2026-01-01T00:00:00Z", "counts": {"passed": 1, "failed": 1},
    });
    write(&path, "run.json", &run);
    for (at, (name, verdict, ms)) in tests.iter().enumerate() {
        let second = at % 60;
        let test = json!({
            "name": name, "ids": [], "verdict": verdict, "ms": ms, "rerun": format!("again {name}"),
            "started_at": format!("2026-01-01T00:00:{second:02}Z"), "steps": [{"text": "apply", "at_ms": 5}],
        });
        let function = name.rsplit("::").next().unwrap_or(name);
        write(&path.join("tests").join(function), "test.json", &test);
    }
    Results {
        _folder: folder,
        path,
    }
}

fn write(folder: &Utf8Path, name: &str, value: &Value) {
    write_json(&folder.join(name), value).expect("written");
}

fn append(folder: &Utf8Path, name: &str, text: &str) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(file, text).expect("written");
}

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
        "env-1/stigmer-server.log",
        "2026-01-01T00:00:00.020Z ERROR it broke\n  because\n",
    );
    let task =
        json!({"metadata": {"kind": "WORKFLOW_TASK_KIND_WAIT"}, "status": "WORKFLOW_TASK_FAILED"});
    let records = json!({"workflow_execution": [{"status": {"tasks": [task]}}]});
    write(&test.join("env-1"), "records.json", &records);
    let page = render(&results.path).expect("a page");
    let story = data(&page, "test-0");
    let seen: Vec<(f64, &str, &str, bool)> = story["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            (
                entry["at"].as_f64().unwrap_or_default().round(),
                text("lane"),
                text("text"),
                entry["bad"] == true,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (5.0, "step", "apply", false),
            (10.0, "cli", "$ stigmer run x", false),
            (11.0, "grpc", "AgentQueryController/get: OK in 1 ms", false),
            (12.0, "cli", "hello", false),
            (12.0, "cli", "[exit status: 1 after 3ms]", false),
            (20.0, "stigmer-server", "ERROR it broke", true),
            (20.0, "stigmer-server", "  because", false),
        ]
    );
    let used = &data(&page, "run")["used"];
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
    assert_eq!(data(&page, "test-0")["entries"][1]["text"], evil);
}

#[test]
fn a_run_that_was_cut_off_has_a_report() {
    let results = results(&[]);
    append(
        &results.path,
        "events.jsonl",
        "{\"time\":\"2026-01-01T00:00:01Z\",\"event\":\"phase\",\"name\":\"up\",\"ms\":400,\"summary\":\"s\"}\n{\"ti",
    );
    let run = data(&render(&results.path).expect("a page"), "run");
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
