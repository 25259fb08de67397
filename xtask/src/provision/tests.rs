//! Provisioning with a package of our own and a `python3 -m pip` that copies it.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    time::{Duration, SystemTime},
};

use super::{verify::sha256_of, *};
use crate::{pins::Artefact, progress::Progress};
use stigmer_e2e_plan::exit_code_of;

const MEMBER: &str = "tool-1.0.0.data/scripts/tool";
const WHEEL: &str = "tool-1.0.0-py3-none-any.whl";
const WORKS: &str = "#!/bin/sh\necho tool version 1.0.0\n";

/// A package index of one package, and a cache.
struct World {
    folder: tempfile::TempDir,
    artefact: Artefact,
    python: Python,
}

impl World {
    /// A package whose program is `program`.
    fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8Path::from_path(folder.path())
            .expect("UTF-8")
            .to_owned();
        write_wheel(&path.join("index.whl"), program);
        let sha256 = |file: &Utf8Path| sha256_of(file).expect("readable").to_string();
        fs::write(path.join("program"), program).expect("writable");
        let artefact = serde_json::json!({
            "what": "a tool", "needed_for": "tests", "license": "MIT", "package": "tool", "version": "1.0.0",
            "variable": "STIGMER_E2E_NO_SUCH_VARIABLE",
            "check": { "kind": "program", "arguments": ["--version"], "prints": "tool version 1.0.0" },
            "platforms": { "here": {
                "wheel": { "path": WHEEL, "size": 1000, "sha256": sha256(&path.join("index.whl")) },
                "member": { "path": MEMBER, "size": program.len(), "sha256": sha256(&path.join("program")) },
            } },
        });
        let python = Python {
            path: path.join("python3"),
            version: Version(3, 11, 0),
        };
        let world = Self {
            folder,
            artefact: serde_json::from_value(artefact).expect("well-formed"),
            python,
        };
        world.pip_does("cp \"$index\" \"$dest/$wheel\"");
        world
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("UTF-8")
    }

    fn cache(&self) -> Utf8PathBuf {
        self.path().join("cache")
    }

    /// Makes `pip download` note that it was called, and do this.
    fn pip_does(&self, download: &str) {
        let folder = self.path();
        let script = format!(
            "#!/bin/sh\nindex={folder}/index.whl\nwheel={WHEEL}\n\
             if [ \"$3\" = --version ]; then echo pip 23.2.1 from here; exit 0; fi\n\
             while [ $# -gt 1 ]; do [ \"$1\" = --dest ] && dest=$2; [ \"$1\" = --requirement ] && cp \"$2\" {folder}/asked; shift; done\n\
             echo call >> {folder}/calls\n{download}\n"
        );
        write_program(&self.python.path, &script);
    }

    fn downloads(&self) -> usize {
        fs::read_to_string(self.path().join("calls")).map_or(0, |calls| calls.lines().count())
    }

    fn pin(&self) -> Pin<'_> {
        Pin {
            tool: Tool::TemporalCli,
            artefact: &self.artefact,
            download: &self.artefact.platforms["here"],
            platform: "here",
        }
    }

    fn slot(&self) -> Slot {
        Slot::new(&self.cache(), &self.pin())
    }

    fn provision(&self) -> Result<Provisioned> {
        let cache = self.cache();
        let provisioner = Provisioner {
            cache: &cache,
            python: Ok(&self.python),
        };
        provisioner
            .provision(&[self.pin()], &Progress::hidden())
            .pop()
            .expect("one result per pin")
    }

    /// What is in the cache: neither an artefact nor a part of one.
    fn nothing_is_kept(&self) -> bool {
        let slot = self.slot();
        slot.state(&self.pin()) == State::Absent && !slot.part.exists()
    }
}

fn write_program(path: &Utf8Path, text: &str) {
    fs::write(path, text).expect("writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
}

fn write_wheel(path: &Utf8Path, program: &str) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).expect("writable"));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [
        (MEMBER, program),
        ("tool-1.0.0.dist-info/METADATA", "Name: tool\n"),
    ] {
        zip.start_file(name, stored).expect("a zip entry");
        zip.write_all(content.as_bytes()).expect("writable");
    }
    zip.finish().expect("a zip archive");
}

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
fn the_package_is_asked_for_by_name_version_and_hash() {
    let world = World::new(WORKS);
    world.provision().expect("fetched");
    let asked = fs::read_to_string(world.path().join("asked")).expect("pip was called");
    let sha256 = &world.artefact.platforms["here"].wheel.sha256;
    assert_eq!(asked, format!("tool==1.0.0 --hash=sha256:{sha256}\n"));
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
    assert_eq!(exit_code_of(&error), ExitCode::ProvisionFailed);
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
    assert_eq!(exit_code_of(&error), ExitCode::ProvisionFailed);
    assert!(
        error.to_string().contains("cannot be written")
            && error.to_string().contains("XDG_CACHE_HOME"),
        "{error}"
    );
}

#[test]
fn without_python_or_pip_the_missing_package_is_named() {
    let world = World::new(WORKS);
    let cache = world.cache();
    let provision = |python: Result<&Python, &str>| {
        let provisioner = Provisioner {
            cache: &cache,
            python,
        };
        provisioner
            .provision(&[world.pin()], &Progress::hidden())
            .pop()
            .expect("one result")
            .expect_err("refused")
    };
    let error = provision(Err("python3 >= 3.10.0 is not on PATH"));
    assert_eq!(exit_code_of(&error), ExitCode::PrerequisiteMissing);
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
    assert_eq!(exit_code_of(&error), ExitCode::PrerequisiteMissing);
    assert!(
        error.to_string().contains("No module named pip")
            && error.to_string().contains("python3-pip"),
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
