//! Which revision made a test fail, in a repository whose revisions pass and fail as they are told.

use std::process::Command;

use serde_json::Value;

use crate::world::{Ended, World};

/// A repository with a revision for each of `codes`: what `cargo xtask e2e` ends with there.
fn repository(codes: &[u8]) -> (World, Vec<String>) {
    let world = World::new();
    world.hide("git");
    for tool in ["git", "mkdir"] {
        world.link(tool);
    }
    // `cargo xtask e2e <test> --tier nightly --results <folder>`, in the folder of the revision.
    world.program(
        "bin/cargo",
        "echo ran >> \"$HOME/probes\"; mkdir -p \"$7\"; echo '{\"event\":\"test-ended\",\"name\":\"m::it_works\",\"verdict\":\"passed\",\"ms\":5}' > \"$7/events.jsonl\"\nexit $(cat code)",
    );
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "pins.json"]);
    let revisions = codes.iter().enumerate().map(|(number, code)| {
        world.write("checkout/code", &code.to_string());
        git(&world, &["add", "code"]);
        let subject = format!("revision {number}");
        git(
            &world,
            &["commit", "--quiet", "--allow-empty", "-m", &subject],
        );
        git(&world, &["rev-parse", "HEAD"])
    });
    let revisions = revisions.collect();
    (world, revisions)
}

fn git(world: &World, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-C", world.path("checkout").as_str()]);
    command.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    let asked = command.args(arguments).output().expect("git is there");
    assert!(asked.status.success(), "{asked:?}");
    String::from_utf8_lossy(&asked.stdout).trim().to_owned()
}

fn culprit(world: &World, more: &[&str]) -> Ended {
    let first = git(world, &["rev-list", "--max-parents=0", "HEAD"]);
    let mut words = vec![
        "culprit", "it_works", "--good", &first, "--runs", "2", "--json",
    ];
    words.extend(more);
    world.run(&words)
}

fn suspects(ended: &Ended) -> Vec<Value> {
    let objects = ended.objects();
    let event = objects.iter().find(|object| object["event"] == "culprit");
    let event = event.unwrap_or_else(|| panic!("{}{}", ended.stdout, ended.stderr));
    event["suspects"].as_array().cloned().unwrap_or_default()
}

fn probes(world: &World) -> usize {
    world.read("home/probes").lines().count()
}

#[test]
fn the_revision_is_found_remembered_and_nothing_is_left() {
    let (world, revisions) = repository(&[0, 0, 0, 0, 100, 100, 100, 100]);
    let ended = culprit(&world, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(suspects(&ended), [revisions[4].as_str()]);
    // Two runs clear a revision, one failure is enough.
    let first = probes(&world);
    assert!((5..=9).contains(&first), "{first} runs");
    let places = git(&world, &["worktree", "list"]);
    assert_eq!(places.lines().count(), 1, "{places}");
    assert_eq!(git(&world, &["status", "--porcelain", "--", "code"]), "");

    let again = culprit(&world, &["--known"]);
    assert_eq!((again.code, suspects(&again)), (Some(0), suspects(&ended)));
    assert_eq!(probes(&world), first, "what is known was run again");
}

#[test]
fn revisions_that_do_not_build_stay_suspects_and_a_range_without_a_change_is_told() {
    let (world, revisions) = repository(&[0, 101, 100]);
    let ended = culprit(&world, &[]);
    assert_eq!(ended.code, Some(100), "{}", ended.stderr);
    assert_eq!(
        suspects(&ended),
        [revisions[1].as_str(), revisions[2].as_str()]
    );

    let (world, _) = repository(&[0, 0]);
    let ended = culprit(&world, &[]);
    assert_eq!(ended.code, Some(100));
    let errors = ended.errors();
    assert!(
        errors.len() == 1 && errors[0].contains("does not fail at HEAD"),
        "{errors:?}"
    );
}
