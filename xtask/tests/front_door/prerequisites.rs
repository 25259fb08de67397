//! What a machine may lack, and what may be older than it should be.

use std::fs;

use serde_json::json;

use crate::world::{Ended, World};

#[test]
fn pre_01_each_hidden_program_is_one_line_with_what_who_and_how() {
    for (program, code, words) in [
        (
            "cc",
            96,
            [
                "`cc` is not on PATH",
                "needed for building",
                "apt-get install gcc libc6-dev",
            ],
        ),
        (
            "python3",
            104,
            [
                "is not on PATH",
                "needed for fetching pinned tools",
                "apt-get install python3 python3-pip",
            ],
        ),
        (
            "rustc",
            96,
            ["rustc", "needed for building", "install Rust"],
        ),
    ] {
        let world = World::new();
        world.hide(program);
        let ended = world.run(&["e2e"]);
        assert_eq!(ended.code, Some(code), "{program}: {}", ended.stderr);
        let [error] = ended.errors()[..] else {
            panic!("one line for {program}, not\n{}", ended.stderr)
        };
        for word in words {
            assert!(error.contains(word), "no {word:?} in {error}");
        }
        assert!(world.plans().is_empty(), "nothing is begun");
    }
}

#[test]
fn pre_01_a_container_engine_is_missed_only_by_who_asks_for_containers() {
    let world = World::new();
    let refused = |words: [&str; 3]| {
        let ended = world.run(&["e2e", "--runtime", "docker"]);
        assert_eq!(ended.code, Some(96), "{}", ended.stderr);
        let [error] = ended.errors()[..] else {
            panic!("one line for the engine, not\n{}", ended.stderr)
        };
        for word in words {
            assert!(error.contains(word), "no {word:?} in {error}");
        }
    };
    refused([
        "`docker` is not on PATH",
        "needed for `--runtime docker`",
        "apt-get install docker.io",
    ]);
    // The client is there, and nobody answers it.
    let client = "[ \"$1\" = --version ] || { echo no daemon >&2; exit 1; }";
    world.program("bin/docker", client);
    refused([
        "container engine",
        "no daemon",
        "start it (`systemctl start docker`",
    ]);
    assert!(world.plans().is_empty(), "nothing is begun");
    let ended = world.run(&["e2e"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn pre_01_the_doctor_names_everything_that_is_hidden() {
    let world = World::new();
    world.hide("cc");
    world.hide("git");
    world.hide("python3");
    let ended = world.run(&["doctor"]);
    assert_eq!(ended.code, Some(96), "{}", ended.stderr);
    let line = |word: &str| {
        ended
            .stdout
            .lines()
            .find(|line| line.contains(word))
            .unwrap_or_default()
            .trim()
    };
    assert!(
        line("C compiler").starts_with("missing"),
        "{}",
        ended.stdout
    );
    assert!(line("Python").starts_with("missing"), "{}", ended.stdout);
    assert!(line("git").starts_with("warning"), "{}", ended.stdout);
    assert!(line("rustc").starts_with("ok"), "{}", ended.stdout);
}

#[test]
fn pre_01_the_doctor_installs_what_is_missing_where_it_may() {
    let world = World::new();
    world.driver(r#"echo '{"up": false}'"#);
    world.hide("cc");
    let (asked, cc) = (world.path("asked"), world.path("bin/cc"));
    world.link("chmod");
    // What is installed is there afterwards.
    world.program(
        "bin/apt-get",
        &format!(
            "echo \"$@\" >> {asked}\n\
             [ $1 = install ] && printf '#!/bin/sh\\necho cc version 12.2.0\\n' > {cc} && chmod +x {cc}\n\
             exit 0"
        ),
    );
    let as_user = |id: &str| {
        let _ = fs::remove_file(world.path("bin/id"));
        world.program("bin/id", &format!("echo {id}"));
        world.run(&["doctor", "--fix"])
    };
    let packages = "gcc libc6-dev";
    let refused = as_user("1000");
    assert_eq!(refused.code, Some(96), "{}", refused.stderr);
    let told = format!("{}{}", refused.stdout, refused.stderr);
    let is_debian = fs::exists("/etc/debian_version").unwrap_or_default();
    let why = match is_debian {
        true => "it needs root",
        false => "this is no Debian",
    };
    let note = format!("not done, {why}: apt-get install {packages}");
    assert!(told.contains(&note), "{told}");
    assert_eq!(world.read("asked"), "", "nothing is installed");
    let fixed = as_user("0");
    if !is_debian {
        assert_eq!(fixed.code, Some(96), "{}", fixed.stderr);
        return;
    }
    assert_eq!(fixed.code, Some(0), "{}\n{}", fixed.stdout, fixed.stderr);
    let installed = format!("install -qq --yes --no-install-recommends {packages}");
    assert_eq!(world.read("asked"), format!("update -qq\n{installed}\n"));
    let compiler = fixed.stdout.lines().find(|it| it.contains("C compiler"));
    assert!(
        compiler.is_some_and(|line| line.trim().starts_with("ok")),
        "{}",
        fixed.stdout
    );
}

#[test]
fn pre_06_in_ci_a_missing_prerequisite_cannot_be_skipped() {
    let world = World::new();
    let ended: Ended = world
        .xtask(&["e2e", "--allow-skip"])
        .env("CI", "true")
        .output()
        .expect("starts")
        .into();
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.errors()[0].contains("--allow-skip is refused when CI=true"),
        "{}",
        ended.stderr
    );
}

#[test]
fn pre_06_a_missing_model_is_given_up_only_if_skips_are_allowed() {
    let world = World::new();
    world.run(&["e2e", "--llm", "none"]); // fetches the other tools
    world.hide("python3");
    assert_eq!(world.run(&["e2e"]).code, Some(104));
    let ended = world.run(&["e2e", "--allow-skip", "--results", "skipping"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .contains("no model, so tests that need one are skipped"),
        "{}",
        ended.stdout
    );
    let plan: serde_json::Value =
        serde_json::from_str(&world.read("checkout/skipping/plan.json")).expect("a plan");
    assert_eq!(
        (&plan["llm"]["provider"], &plan["allow_skip"]),
        (&json!("none"), &json!(true))
    );
}

#[test]
fn pre_08_a_package_of_another_content_is_refused() {
    let world = World::new();
    world.publish(
        "temporal-cli",
        "temporal_cli-1.0.0-any.whl",
        b"something else",
    );
    let ended = world.run(&["e2e"]);
    assert_eq!(ended.code, Some(97), "{}", ended.stderr);
    let [error] = ended.errors()[..] else {
        panic!("one line, not\n{}", ended.stderr)
    };
    assert!(
        error.contains("wrong hash: expected sha256") && error.contains(", got "),
        "{error}"
    );
}

#[test]
fn pre_07_binaries_older_than_a_source_are_refused() {
    let world = World::new();
    assert_eq!(
        world.run(&["e2e", "--no-build"]).code,
        Some(101),
        "nothing was built"
    );
    world.run(&["e2e"]);
    let source = world.path("checkout/main.rs");
    fs::write(&source, "").expect("writable");
    let debug = world.path("checkout/target/debug");
    for name in [
        "stigmer",
        "stigmer-server",
        "stigmer-workflow-runner",
        "stigmer-agent-runner",
        "stigmer-e2e",
        "suite",
    ] {
        fs::write(
            debug.join(format!("{name}.d")),
            format!("{}: {source}\n", debug.join(name)),
        )
        .expect("writable");
        let binary = fs::File::options()
            .append(true)
            .open(debug.join(name))
            .expect("writable");
        let later = fs::metadata(&source)
            .and_then(|m| m.modified())
            .expect("readable")
            + std::time::Duration::from_secs(60);
        binary.set_modified(later).expect("ours");
    }
    assert_eq!(
        world.run(&["e2e", "--no-build"]).code,
        Some(0),
        "no source is newer"
    );
    let newer = fs::File::options()
        .append(true)
        .open(&source)
        .expect("writable");
    newer
        .set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(3600))
        .expect("ours");
    let refused = world.run(&["e2e", "--no-build"]);
    assert_eq!(refused.code, Some(101));
    assert!(
        refused.errors()[0].contains("is older than") && refused.errors()[0].contains("main.rs"),
        "{}",
        refused.stderr
    );
}
