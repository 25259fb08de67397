//! Where pinned tools come from.

use std::fs;

use crate::world::{Ended, World};

#[test]
fn the_second_run_finds_everything_in_the_cache() {
    let world = World::new();
    world.run(&["e2e"]);
    world.hide("cp"); // without it, pip brings nothing
    let ended = world.run(&["e2e"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("4 tools, all cached"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_path_from_nix_is_used_and_a_wrong_one_is_refused() {
    let world = World::new();
    world.program("own", "echo temporal 1.0.0");
    let run = |path: &str| -> Ended {
        world
            .xtask(&["e2e", "--llm", "none"])
            .env("TEST_TEMPORAL_CLI", path)
            .output()
            .expect("starts")
            .into()
    };
    let used = run(world.path("own").as_str());
    assert!(
        used.stdout.contains("2 tools, 1 from Nix, 1 fetched"),
        "{}{}",
        used.stdout,
        used.stderr
    );
    world.program("own", "echo temporal 0.9.0");
    for (path, why) in [
        (world.path("own").as_str(), "prints `temporal 0.9.0`"),
        ("/nix/gone", "does not exist"),
    ] {
        let ended = run(path);
        assert_eq!(ended.code, Some(97), "{}", ended.stdout);
        assert!(
            ended.errors()[0].contains("TEST_TEMPORAL_CLI=") && ended.errors()[0].contains(why),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn verifying_pins_reads_every_cached_tool() {
    let world = World::new();
    world.run(&["e2e"]);
    assert_eq!(world.run(&["pins", "verify"]).code, Some(0));
    let cached = world.run(&["pins", "list", "--json"]).objects();
    let file = cached[0]["detail"].as_str().expect("a path");
    let before = fs::metadata(file)
        .and_then(|m| m.modified())
        .expect("readable");
    fs::write(file, "#!/bin/sh\necho temporal 1.0.1\n").expect("writable");
    fs::File::options()
        .append(true)
        .open(file)
        .and_then(|f| f.set_modified(before))
        .expect("ours");
    let ended = world.run(&["pins", "verify"]);
    assert_eq!(ended.code, Some(97));
    assert!(ended.stdout.contains("broken"), "{}", ended.stdout);
    world.driver(r#"echo '{"up": false}'"#);
    assert_eq!(world.run(&["doctor", "--fix"]).code, Some(0));
    assert_eq!(
        world.run(&["pins", "verify"]).code,
        Some(0),
        "the doctor fetched it again"
    );
}

#[test]
fn a_file_that_names_another_pin_is_said_with_both() {
    let world = World::new();
    world.run(&["e2e"]);
    let lock = world.read("checkout/flake.lock");
    world.write("checkout/flake.lock", &lock.replacen("1782959384", "1", 1));
    world.write("broken", "metadata");
    let ended = world.run(&["pins", "verify"]);
    world.write("broken", "");
    assert_eq!(ended.code, Some(97), "{}", ended.stderr);
    let drifted: Vec<_> = ended
        .stdout
        .lines()
        .filter(|line| line.contains("drifted"))
        .collect();
    assert!(
        drifted.len() == 2
            && drifted[0].starts_with("flake.lock")
            && drifted[0].contains("locked/lastModified 1, the pin says 1782959384")
            && drifted[1].starts_with("Cargo.lock")
            && drifted[1].contains("error: it is broken"),
        "{}",
        ended.stdout
    );
    let checked = world.run(&["test"]);
    assert_eq!(checked.code, Some(103), "{}", checked.stderr);
    assert!(
        checked
            .stderr
            .contains("flake.lock has nixpkgs locked/lastModified 1"),
        "{}",
        checked.stderr
    );
}
