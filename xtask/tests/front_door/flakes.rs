//! What `flaky`, `polluter`, and shards hand over, and what they refuse.

use std::fs;

use serde_json::{Value, json};

use crate::world::World;

/// The only plan, and the verb that the driver was given for it.
fn handed_over(world: &World, arguments: &[&str]) -> (String, Value) {
    world.driver("echo driver \"$@\"; exit 42");
    let ended = world.run(arguments);
    assert_eq!(ended.code, Some(42), "{}", ended.stderr);
    let last = ended.stdout.lines().last().expect("the driver's line");
    let verb = last.split_whitespace().nth(1).unwrap_or_default();
    let [plan] = &world.plans()[..] else {
        panic!("one plan")
    };
    (verb.to_owned(), plan.clone())
}

#[test]
fn rounds_get_their_rule_their_gate_and_each_load_once() {
    let arguments = [
        "flaky",
        "SMK",
        "--until",
        "2%",
        "--gate",
        "0.05",
        "--stress",
        "disk,cpu,disk",
        "--seed",
        "7",
    ];
    let (verb, plan) = handed_over(&World::new(), &arguments);
    assert_eq!(verb, "flaky");
    let until = json!({"rule": "until", "bound": 0.02, "at_most": 1000});
    assert_eq!((&plan["stop"], &plan["gate"]), (&until, &json!(0.05)));
    assert_eq!(plan["stress"], json!(["cpu", "disk"]));
    assert_eq!(plan["run"]["seed"], 7);
    assert_eq!(plan["run"]["selection"]["filters"], json!(["SMK"]));

    let (_, plan) = handed_over(&World::new(), &["flaky"]);
    assert_eq!(plan["stop"], json!({"rule": "after", "rounds": 30}));
}

#[test]
fn what_began_before_the_failure_is_searched_in_its_order() {
    let world = World::new();
    let write = |file: &str, text: String| {
        let path = world.path("checkout").join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    };
    let run = json!({
        "run_id": "r", "verdict": "failed", "seed": 7, "jobs": 3, "selection": {"filters": []},
        "llm": {"provider": "none"}, "pins": [],
    });
    write("old/run.json", run.to_string());
    let begun = ["m::b", "m::a", "m::victim", "m::later"];
    let begun = begun.map(|name| json!({"event": "test-started", "name": name}).to_string());
    write("old/events.jsonl", begun.join("\n"));
    let record = json!({"name": "m::victim", "verdict": "failed", "failure": null});
    write("old/tests/victim/test.json", record.to_string());
    let (verb, plan) = handed_over(&world, &["polluter", "old", "--tries", "5"]);
    assert_eq!(
        (verb.as_str(), &plan["victim"]),
        ("polluter", &json!("m::victim"))
    );
    assert_eq!(plan["earlier"], json!(["m::b", "m::a"]));
    assert_eq!(
        (&plan["tries"], &plan["run"]["seed"]),
        (&json!(5), &json!(7))
    );
}

#[test]
fn a_shard_is_part_of_the_plan() {
    let arguments = ["e2e", "--shard", "2/3", "--times", "times.jsonl"];
    let (_, plan) = handed_over(&World::new(), &arguments);
    assert_eq!(plan["selection"]["shard"], json!({"index": 2, "of": 3}));
    let times = plan["selection"]["times"].as_str().unwrap_or_default();
    assert!(
        times.starts_with('/') && times.ends_with("/times.jsonl"),
        "{times}"
    );
}

#[test]
fn what_cannot_be_meant_is_refused_and_begins_nothing() {
    let world = World::new();
    for (arguments, named) in [
        (&["flaky", "--runs", "0"][..], "1.."),
        (&["flaky", "--until", "2"], "between 0 and 1"),
        (&["flaky", "--gate", "100%"], "between 0 and 1"),
        (&["flaky", "--stress", "network"], "disk"),
        (&["e2e", "--shard", "4/3"], "1/3"),
        (&["e2e", "--times", "x"], "--shard"),
        (&["merge", "a", "b"], "--into"),
        (&["merge", "--into", "new"], "RESULTS"),
        (&["polluter", "nowhere"], "nowhere"),
    ] {
        let ended = world.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(named),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    assert!(world.plans().is_empty());
    let ended = world.run(&["flaky", "--history"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
}
