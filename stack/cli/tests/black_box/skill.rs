//! `stigmer skill push` with a server.

use std::{
    fs,
    io::{Cursor, Read as _},
    path::Path,
};

use serde_json::{Value, json};

use crate::support::{Stigmer, server::FakeServer};

fn skill(dir: &Path) {
    fs::create_dir_all(dir.join("scripts")).unwrap();
    fs::write(dir.join("SKILL.md"), "# Review\n").unwrap();
    fs::write(dir.join("scripts/run.sh"), "#!/bin/sh\n").unwrap();
    fs::write(dir.join(".env"), "TOKEN=secret\n").unwrap();
}

#[test]
fn a_skill_is_pushed_with_its_files_under_the_name_of_its_directory() {
    let server = FakeServer::start();
    let stigmer = Stigmer::new(&server.address);
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("code-review");
    skill(&dir);
    // From inside, by a path, and as the current directory the name is the same.
    let shown = stigmer
        .run_in(&dir, &["skill", "push", "--tag", "v1"])
        .well();
    stigmer
        .run_in(root.path(), &["skill", "push", "code-review"])
        .well();
    stigmer
        .run_in(&dir, &["skill", "push", ".", "--org", "acme"])
        .well();
    assert!(shown.contains("✓ ✓ Artifact created (19 B)"), "{shown}");
    assert!(
        shown.contains("Version hash: 0123456789abcdef..."),
        "{shown}"
    );
    assert!(shown.contains("✓ Skill pushed successfully!"), "{shown}");
    let pushes = server.state.pushes.lock().unwrap();
    let facts = pushes
        .iter()
        .map(|push| (&*push.name, &*push.tag, &*push.org, push.scope));
    assert_eq!(
        facts.collect::<Vec<_>>(),
        [
            ("code-review", "v1", "local", 2),
            ("code-review", "latest", "local", 2),
            ("code-review", "latest", "acme", 2)
        ]
    );
    assert_eq!(pushes[0].artifact, pushes[1].artifact);
    let mut archive = zip::ZipArchive::new(Cursor::new(&pushes[0].artifact)).unwrap();
    assert_eq!(
        archive.file_names().collect::<Vec<_>>(),
        ["SKILL.md", "scripts/run.sh"]
    );
    let mut text = String::new();
    archive
        .by_name("SKILL.md")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "# Review\n");
}

#[test]
fn a_dry_run_of_a_push_needs_no_server() {
    let stigmer = Stigmer::without_server();
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("s");
    skill(&dir);
    let shown = stigmer.run_in(&dir, &["skill", "push", "--dry-run"]).well();
    assert!(
        shown.contains("Dry run mode - would push skill with:"),
        "{shown}"
    );
    let report = stigmer
        .run_in(&dir, &["skill", "push", "--dry-run", "-o", "json"])
        .well();
    let report: Value = serde_json::from_str(&report).unwrap();
    let facts = ["dry_run", "name", "tag", "files", "size"].map(|key| report[key].clone());
    assert_eq!(
        facts,
        [
            json!(true),
            json!("s"),
            json!("latest"),
            json!(2),
            json!(19)
        ]
    );
    assert_eq!(report.get("version_hash"), None);
}

#[test]
fn what_is_no_skill_is_named_and_nothing_is_pushed() {
    let server = FakeServer::start();
    let stigmer = Stigmer::new(&server.address);
    let root = tempfile::tempdir().unwrap();
    let push = |what: &str| {
        stigmer
            .run_in(root.path(), &["skill", "push", what])
            .badly()
    };
    assert!(push("nowhere").contains("cannot read the directory nowhere"));
    fs::write(root.path().join("file"), "x").unwrap();
    assert!(push("file").contains("file is not a directory"));
    fs::create_dir(root.path().join("empty")).unwrap();
    assert!(push("empty").starts_with("Error: SKILL.md not found in "));
    let large = root.path().join("large");
    skill(&large);
    let noise = (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes());
    fs::write(large.join("noise"), noise.collect::<Vec<_>>()).unwrap();
    assert!(push("large").contains("more than the server accepts"));
    assert!(server.state.pushes.lock().unwrap().is_empty());
}

#[test]
fn a_refusal_of_the_server_is_passed_on() {
    let server = FakeServer::start();
    let stigmer = Stigmer::new(&server.address);
    let root = tempfile::tempdir().unwrap();
    skill(root.path());
    let args = ["skill", "push", "--tag", "refused"];
    assert_eq!(
        stigmer.run_in(root.path(), &args).badly(),
        "Error: failed to upload skill artifact: this server refuses it\n"
    );
}
