//! `cargo xtask test`: all checks, one total, the first failure's code.

use crate::world::World;

/// A driver that leaves a summary of the suite and ends with `code`.
fn world_with_suite(summary: &str, code: i32) -> World {
    let world = World::new();
    world.driver(&format!(
        "echo '{summary}' > \"${{3%/*}}/summary.json\"; exit {code}"
    ));
    world
}

const GREEN: &str = r#"{"run_id": "x", "passed": 7, "failed": 0, "skipped": 1}"#;

#[test]
fn the_last_line_counts_all_tests() {
    let world = world_with_suite(GREEN, 0);
    let ended = world.run(&["test"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    // Two selections of one unit test each, two doc tests and an ignored one, the suite, and the report
    // that no browser is there for.
    assert_eq!(
        ended.stdout.lines().last(),
        Some("11 passed, 0 failed, 3 skipped"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_failed_check_is_the_verdict_but_does_not_hide_the_suite() {
    let world = world_with_suite(GREEN, 0);
    world.write("broken", "clippy");
    let ended = world.run(&["test"]);
    assert_eq!(ended.code, Some(103), "{}", ended.stderr);
    assert!(ended.stdout.contains("11 passed"), "{}", ended.stdout);
}

#[test]
fn a_failed_suite_is_the_verdict() {
    let world = world_with_suite(r#"{"passed": 6, "failed": 1, "skipped": 0}"#, 100);
    let ended = world.run(&["test"]);
    assert_eq!(ended.code, Some(100));
    assert_eq!(
        ended.stdout.lines().last(),
        Some("10 passed, 1 failed, 2 skipped")
    );
}

#[test]
fn files_that_are_not_formatted_are_shown() {
    let world = world_with_suite(GREEN, 0);
    world.write("broken", "fmt");
    let ended = world.run(&["test"]);
    assert_eq!(ended.code, Some(103));
    assert!(
        ended.stderr.contains("`cargo fmt --all` corrects this"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_driver_that_did_not_begin_still_decides() {
    let world = World::new();
    world.driver("exit 98");
    let ended = world.run(&["test"]);
    assert_eq!(ended.code, Some(98));
    assert_eq!(
        ended.stdout.lines().last(),
        Some("4 passed, 0 failed, 2 skipped")
    );
}

#[test]
fn a_dependency_that_is_not_allowed_is_shown() {
    let world = world_with_suite(GREEN, 0);
    world.write("denied", "");
    let ended = world.run(&["test"]);
    assert_eq!(ended.code, Some(103), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("licenses FAILED") && ended.stdout.contains("11 passed"),
        "{}{}",
        ended.stderr,
        ended.stdout
    );
}
