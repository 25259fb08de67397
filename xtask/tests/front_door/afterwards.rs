//! What can be done with the folder of a run that is over.

use std::fs;

use serde_json::{Value, json};

use crate::world::World;

const RED: &str = "run::run_02_a_promise";

/// A machine with the results of a run, in `old`: one test passed, one failed.
fn world_with_a_run() -> World {
    let world = World::new();
    let run = json!({
        "run_id": "20260101T000000-abcd", "verdict": "failed", "started_at": "2026-01-01T00:00:00Z",
        "seed": 7, "jobs": 3, "selection": {"filters": ["RUN"]}, "llm": {"provider": "none"}, "pins": [],
    });
    put(&world, "old/run.json", &run);
    put(
        &world,
        "old/tests/run_01/test.json",
        &test("run::run_01_another", "passed"),
    );
    put(&world, "old/tests/run_02/test.json", &test(RED, "failed"));
    world
}

fn test(name: &str, verdict: &str) -> Value {
    let failure = json!({"location": "run.rs:1:1", "message": "it broke"});
    let failure = (verdict == "failed").then_some(failure);
    json!({"name": name, "verdict": verdict, "ms": 10, "failure": failure})
}

fn put(world: &World, file: &str, content: &Value) {
    let path = world.path("checkout").join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    fs::write(path, content.to_string()).expect("writable");
}

/// A driver whose run ends with the red test as `verdict`.
fn driver_ends_with(world: &World, verdict: &str, code: u8) {
    let record = test(RED, verdict).to_string();
    world.driver(&format!(
        "for plan in results/*/plan.json; do run=${{plan%/plan.json}}; done\n\
         mkdir -p $run/tests/run_02; echo '{record}' > $run/tests/run_02/test.json; exit {code}"
    ));
}

#[test]
fn a_failure_is_run_again_as_it_was_and_comes_back() {
    let world = world_with_a_run();
    world.link("mkdir");
    driver_ends_with(&world, "failed", 100);
    let ended = world.run(&["repro", "old"]);
    assert_eq!(ended.code, Some(100), "{}", ended.stderr);
    let last = ended.stdout.lines().last().expect("a line about the test");
    assert_eq!(last.trim(), "run_02_a_promise: came back");
    let [plan] = &world.plans()[..] else {
        panic!("one plan")
    };
    assert_eq!((&plan["seed"], &plan["jobs"]), (&json!(7), &json!(3)));
    assert_eq!(plan["selection"]["filters"], json!(["run_02_a_promise"]));
    assert_eq!(plan["llm"]["provider"], "none");
}

#[test]
fn a_failure_that_does_not_come_back_is_said_not_to() {
    let world = world_with_a_run();
    world.link("mkdir");
    driver_ends_with(&world, "passed", 0);
    let ended = world.run(&["repro", "old", "run_02"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .contains("run_02_a_promise: did not come back: passed"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_run_of_another_commit_is_not_taken_for_this_one() {
    let world = world_with_a_run();
    let mut run: Value = serde_json::from_str(&world.read("checkout/old/run.json")).expect("JSON");
    run["git"] = json!({"revision": "abc123", "dirty": false});
    put(&world, "old/run.json", &run);
    let ended = world.run(&["repro", "old"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("git checkout abc123"),
        "{}",
        ended.stderr
    );
    assert!(world.plans().is_empty());
}

#[test]
fn there_is_nothing_to_repeat_in_a_folder_of_no_run_or_of_a_test_that_was_not_in_it() {
    let world = world_with_a_run();
    let ended = world.run(&["repro", "xtask"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let ended = world.run(&["repro", "old", "no_such_test"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(world.plans().is_empty());
}

#[test]
fn a_report_is_made_of_a_run_and_of_nothing_else() {
    let world = world_with_a_run();
    let ended = world.run(&["report", "old"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(world.read("checkout/old/report.html").contains(RED));
    let ended = world.run(&["report", "xtask"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.errors().len(), 1, "{}", ended.stderr);
    assert!(!world.path("checkout/xtask/report.html").exists());
}
