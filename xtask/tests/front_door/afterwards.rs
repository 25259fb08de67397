//! What can be done with the folder of a run that is over.

use std::fs;

use serde_json::{Value, json};

use crate::world::{Ended, World};

const RED: &str = "run::run_02_a_promise";

/// A machine with the results of a run, in `old`: one test passed, one failed.
fn world_with_a_run() -> World {
    let world = World::new();
    let run = json!({
        "run_id": "20260101T000000-abcd", "verdict": "failed", "started_at": "2026-01-01T00:00:00Z",
        "seed": 7, "jobs": 3, "selection": {"filters": ["RUN"]}, "llm": {"provider": "none"}, "pins": [],
        "order": [RED, "run::run_01_another"],
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
    assert_eq!(plan["selection"]["exactly"], json!([RED]));
    assert_eq!(plan["llm"]["provider"], "none");
}

#[test]
fn a_whole_run_has_its_order_and_another_seed_only_when_asked_for() {
    let world = world_with_a_run();
    world.driver("exit 0");
    let ended = world.run(&["repro", "old", "--whole", "--seed", "9"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let [plan] = &world.plans()[..] else {
        panic!("one plan")
    };
    assert_eq!(plan["seed"], 9);
    let order = json!([RED, "run::run_01_another"]);
    assert_eq!(plan["selection"]["exactly"], order);
}

#[test]
fn the_model_says_again_what_it_said_unless_it_is_to_be_asked() {
    let world = world_with_a_run();
    put(&world, "old/cassettes/run_02_a_promise.json", &json!({}));
    world.driver("exit 0");
    let model = |arguments: &[&str]| {
        let ended = world.run(arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let mut plans = world.plans();
        plans.sort_by_key(|plan| plan["run_id"].to_string());
        let llm = plans.pop().expect("a plan")["llm"].clone();
        fs::remove_dir_all(world.path("checkout/results")).expect("it was written");
        llm
    };
    let cassettes = world.path("checkout/old/cassettes");
    let replayed = json!({"provider": "replay", "cassettes": cassettes});
    assert_eq!(model(&["repro", "old"]), replayed);
    let asked = json!({"provider": "none"});
    assert_eq!(model(&["repro", "old", "--live"]), asked);
    // Another test has no answers.
    assert_eq!(model(&["repro", "old", "run_01"]), asked);
}

#[test]
fn what_could_not_be_made_as_it_was_is_told() {
    let world = world_with_a_run();
    world.link("mkdir");
    let mut run: Value = serde_json::from_str(&world.read("checkout/old/run.json")).expect("JSON");
    run["binaries"] = json!([{"name": "server", "sha256": "aa"}, {"name": "cli", "sha256": "cc"}]);
    run["host"] = json!({"os": "Debian", "cores": 2, "memory_mb": 4000});
    put(&world, "old/run.json", &run);
    run["binaries"][0]["sha256"] = json!("bb");
    run["host"]["cores"] = json!(8);
    put(&world, "now.json", &run);
    world.driver("for plan in results/*/plan.json; do cp now.json ${plan%plan.json}run.json; done");
    let ended = world.run(&["repro", "old"]);
    for told in [
        "not built to the same bytes as then: server",
        "it ran on Debian with 2 cores and 4000 MB, this is Debian with 8 cores",
        "run_02_a_promise: did not run",
    ] {
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(all.contains(told), "{told:?} is not in {all}");
    }
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

#[test]
fn old_green_runs_make_room_and_nothing_else_does() {
    let world = World::new();
    let run = |name: &str, run_id: &str, verdict: &str| {
        let run = json!({"run_id": run_id, "verdict": verdict});
        put(&world, &format!("results/{name}/run.json"), &run);
    };
    run("20260103T000000-new", "20260103T000000-new", "passed");
    run("20260102T000000-old", "20260102T000000-old", "passed");
    run("20260101T000000-red", "20260101T000000-red", "failed");
    run("copied", "20260101T000000-green", "passed");
    put(&world, "results/notes/mine.json", &json!({}));
    let mut command = world.xtask(&["e2e"]);
    command.env("STIGMER_E2E_KEEP_RUNS", "1");
    let ended: Ended = command.output().expect("it starts").into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let is_there = |name: &str| world.path("checkout/results").join(name).exists();
    assert!(!is_there("20260102T000000-old"), "{}", ended.stdout);
    for kept in [
        "20260103T000000-new",
        "20260101T000000-red",
        "copied",
        "notes",
    ] {
        assert!(is_there(kept), "{kept} is gone");
    }
    let mut command = world.xtask(&["e2e"]);
    command.env("STIGMER_E2E_KEEP_RUNS", "some");
    let refused: Ended = command.output().expect("it starts").into();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}
