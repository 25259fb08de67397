//! What the driver gets to see, and what it decides.

use std::fs;

use serde_json::json;

use crate::world::World;

#[test]
fn a_run_becomes_the_driver_with_a_whole_plan() {
    let world = World::new();
    world.driver("echo driver \"$@\"; exit 42");
    let ended = world.run(&[
        "e2e", "APP", "RUN-01", "--seed", "7", "--jobs", "2", "--keep",
    ]);
    assert_eq!(
        ended.code,
        Some(42),
        "the driver's code is ours\n{}",
        ended.stderr
    );
    let last = ended.stdout.lines().last().expect("the driver's line");
    assert!(
        last.starts_with("driver run --plan /") && last.ends_with("/plan.json"),
        "{last}"
    );

    let [plan] = &world.plans()[..] else {
        panic!("one plan")
    };
    assert_eq!(plan["verb"], "run");
    assert_eq!(
        (&plan["seed"], &plan["jobs"], &plan["keep"]),
        (&json!(7), &json!(2), &json!(true))
    );
    assert_eq!(plan["selection"]["filters"], json!(["APP", "RUN-01"]));
    assert_eq!(plan["llm"]["provider"], "llama-cpp");
    assert_eq!(plan["tools"]["llm"]["name"], "Tiny");
    assert_eq!(plan["tools"]["python"], world.path("bin/python3").as_str());
    assert_eq!(
        plan["stack"]["server"],
        world.path("checkout/target/debug/stigmer-server").as_str()
    );
    let sources: Vec<_> = plan["pins"]
        .as_array()
        .expect("pins")
        .iter()
        .map(|pin| &pin["source"])
        .collect();
    assert_eq!(sources, ["fetched"; 4]);
    let phases: Vec<_> = plan["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .map(|phase| &phase["name"])
        .collect();
    assert_eq!(phases, ["plan", "provision", "build", "doctor"]);
}

#[test]
fn explaining_touches_nothing() {
    let world = World::new();
    let ended = world.run(&["e2e", "APP", "--seed", "7", "--explain"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in [
        "APP",
        "7",
        "temporal-cli",
        "to fetch",
        "127.0.0.1",
        "results/",
        "provision, build",
    ] {
        assert!(
            ended.stdout.contains(part),
            "no {part} in\n{}",
            ended.stdout
        );
    }
    assert!(world.plans().is_empty());
    assert_eq!(
        world
            .path("home")
            .read_dir_utf8()
            .expect("readable")
            .count(),
        0,
        "no cache"
    );
}

#[test]
fn json_is_one_object_per_line_and_nothing_else() {
    let world = World::new();
    world.driver(r#"echo '{"up": false}'"#);
    for arguments in [
        &["e2e", "--json"][..],
        &["e2e", "--explain", "--json"],
        &["pins", "list", "--json"],
        &["doctor", "--json"],
    ] {
        let ended = world.run(arguments);
        assert!(
            !ended.objects().is_empty(),
            "{arguments:?}\n{}",
            ended.stderr
        );
    }
    world.hide("cc");
    let error = world
        .run(&["e2e", "--json"])
        .objects()
        .pop()
        .expect("an error event");
    assert_eq!(
        (&error["event"], &error["exit_code"]),
        (&json!("error"), &json!(96))
    );
}

#[test]
fn what_is_about_a_running_stack_goes_to_the_driver() {
    let world = World::new();
    let root = world.path("checkout");
    assert_eq!(
        world.run(&["status"]).stdout,
        format!("driver status --root {root}\n")
    );
    assert_eq!(
        world.run(&["logs", "temporal", "--json"]).stdout,
        format!("driver logs --lines 50 temporal --root {root} --json\n")
    );
    fs::remove_file(world.path("checkout/target/debug/stigmer-e2e")).expect("it was there");
    let ended = world.run(&["down"]);
    assert_eq!(ended.code, Some(98));
    assert!(
        ended.errors()[0].contains("cargo xtask up"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_doctor_asks_the_services_of_a_stack_that_is_up() {
    let world = World::new();
    let driver = |up: bool| format!("[ $1 = status ] && echo '{{\"up\": {up}}}' && exit\nexit 98");
    world.driver(&driver(false));
    assert_eq!(
        world.run(&["doctor"]).code,
        Some(0),
        "nothing is up, so nobody is asked"
    );
    world.driver(&driver(true));
    assert_eq!(
        world.run(&["doctor"]).code,
        Some(98),
        "the driver's verdict"
    );
}

#[test]
fn without_an_ollama_a_run_with_one_is_refused_plainly() {
    let world = World::new();
    let ended = world.run(&["e2e", "--llm", "ollama"]);
    assert_eq!(ended.code, Some(96), "{}", ended.stderr);
    let [error] = &ended.errors()[..] else {
        panic!("not one error: {}", ended.stderr);
    };
    for part in ["no Ollama was found", "OLLAMA_HOST", "--llm llama-cpp"] {
        assert!(error.contains(part), "no {part:?} in {error:?}");
    }
    assert!(world.plans().is_empty());
}

#[test]
fn an_ollama_that_was_found_gets_the_pinned_model() {
    let world = World::new();
    world.program("bin/ollama", "echo ollama");
    let found = world.run(&["e2e", "--llm", "ollama"]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    let plan = &world.plans()[0];
    let program = world.path("bin/ollama");
    assert_eq!(plan["llm"]["server"]["program"], program.as_str());
    assert_eq!(plan["tools"]["gguf"]["name"], "Tiny");
    let pinned = plan["pins"].as_array().expect("a list").iter();
    let model = pinned.clone().find(|pin| pin["name"] == "model");
    let model = model.expect("the model is provisioned");
    assert_eq!(plan["tools"]["gguf"]["sha256"], model["sha256"]);
    assert!(!pinned.clone().any(|pin| pin["name"] == "llama-cpp"));

    let world = World::new();
    let mut running = world.xtask(&["e2e", "--llm", "ollama"]);
    let running = running.env("OLLAMA_HOST", "0.0.0.0:9000").output();
    assert!(running.expect("xtask starts").status.success());
    let server = &world.plans()[0]["llm"]["server"];
    assert_eq!(server["running"], "http://127.0.0.1:9000");
}

#[test]
fn a_run_is_hermetic_when_asked_for_and_on_ci_where_possible() {
    let hermetic = |arguments: &[&str], ci: &str| {
        let world = World::new();
        let mut xtask = world.xtask(&[&["e2e", "--llm", "none"], arguments].concat());
        let ended = xtask.env("CI", ci).output().expect("xtask starts");
        assert!(ended.status.success(), "{arguments:?}");
        world.plans()[0]["hermetic"].clone()
    };
    assert_eq!(hermetic(&[], ""), "off");
    assert_eq!(hermetic(&["--hermetic"], ""), "required");
    assert_eq!(hermetic(&[], "true"), "where-possible");
    assert_eq!(hermetic(&["--hermetic=false"], "true"), "off");
}

#[test]
fn a_hermetic_run_with_somebody_elses_model_or_kept_is_refused() {
    let world = World::new();
    for (arguments, why) in [
        (
            &["--llm", "openai=http://localhost:1/v1,m"][..],
            "model is served by somebody outside",
        ),
        (&["--keep"], "what is kept"),
    ] {
        let ended = world.run(&[&["e2e", "--hermetic"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.errors()[0].contains(why), "{}", ended.stderr);
    }
    assert!(world.plans().is_empty());
}
