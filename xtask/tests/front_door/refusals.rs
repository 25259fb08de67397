//! Bad input: a cause, a fix, a code, and nothing begun.

use crate::world::World;

#[test]
fn bad_usage_ends_with_two_and_a_hint() {
    let world = World::new();
    for (arguments, hint) in [
        (&["e3e"][..], "e2e"),
        (&["e2e", "--sed", "1"], "--seed"),
        (&["e2e", "--jobs", "0"], "1.."),
        (&["e2e", "--llm", "ollama"], "openai=<base url>,<model>"),
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
