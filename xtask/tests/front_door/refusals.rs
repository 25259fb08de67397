//! Bad input: a cause, a fix, a code, and nothing begun.

use std::fs;

use crate::world::World;

#[test]
fn bad_usage_ends_with_two_and_a_hint() {
    let world = World::new();
    for (arguments, hint) in [
        (&["e3e"][..], "e2e"),
        (&["e2e", "--sed", "1"], "--seed"),
        (&["e2e", "--jobs", "0"], "1.."),
        (&["e2e", "--llm", "gpt"], "openai=<base url>,<model>"),
        (&["e2e", "--seed", "x"], "--seed"),
    ] {
        let ended = world.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(
            ended.stderr.starts_with("error: ") && ended.stderr.contains(hint),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
    }
    assert!(world.plans().is_empty());
}

#[test]
fn results_are_never_written_over() {
    let world = World::new();
    assert_eq!(world.run(&["e2e", "--results", "mine"]).code, Some(0));
    let again = world.run(&["e2e", "--results", "mine"]);
    assert_eq!(again.code, Some(2));
    assert_eq!(
        again.errors(),
        ["error: --results mine is not empty; name a new folder"]
    );
}

#[test]
fn results_that_cannot_be_written_have_their_own_code() {
    let world = World::new();
    let ended = world.run(&["e2e", "--results", "/proc/results"]);
    assert_eq!(ended.code, Some(99), "{}", ended.stderr);
    assert_eq!(ended.errors().len(), 1);
}

#[test]
fn a_build_that_fails_stops_the_run() {
    let world = World::new();
    world.write("broken", "build");
    let ended = world.run(&["e2e"]);
    assert_eq!(ended.code, Some(101));
    assert!(
        ended.stderr.contains("error: it is broken"),
        "the compiler's words are shown\n{}",
        ended.stderr
    );
    assert!(world.plans().is_empty());
}

/// Each way in which a machine cannot do it, its code, and a word of its cause and of its fix.
#[test]
fn each_kind_of_obstacle_has_a_code_of_its_own_and_one_line() {
    type Obstacle = fn(&World);
    let obstacles: [(&str, Obstacle, i32, [&str; 2]); 4] = [
        (
            "no Python",
            |world| world.hide("python3"),
            104,
            [
                "python3 >= 3.10.0 is not on PATH",
                "apt-get install python3",
            ],
        ),
        (
            "a full disk",
            |world| {
                world.hide("df");
                world.program("bin/df", "echo 'Size'; echo '/dev/x 1000 990 10 99% /'");
            },
            105,
            ["0.0 MB free", "free "],
        ),
        (
            "a cache that cannot be written",
            |world| {
                fs::create_dir_all(world.path("home/.cache")).expect("writable");
                world.write(
                    "home/.cache/stigmer-e2e",
                    "a file where the cache should be",
                );
            },
            106,
            ["the cache cannot be written", "XDG_CACHE_HOME"],
        ),
        (
            "a pinned tool that does not start",
            |world| world.break_temporal(),
            107,
            [
                "temporal-cli 1.0.0 fails with exit status: 7",
                "TEST_TEMPORAL_CLI",
            ],
        ),
    ];
    for (name, obstruct, code, words) in obstacles {
        let world = World::new();
        obstruct(&world);
        let ended = world.run(&["e2e", "--llm", "none"]);
        assert_eq!(ended.code, Some(code), "{name}: {}", ended.stderr);
        let error = ended.errors().join("\n");
        for word in words {
            let said = error.contains(word) || ended.stdout.contains(word);
            assert!(said, "{name}: no {word:?} in {error}\n{}", ended.stdout);
        }
        assert_eq!(ended.errors().len(), 1, "{name}: {}", ended.stderr);
        assert!(world.plans().is_empty(), "{name}: something was begun");
    }
}
