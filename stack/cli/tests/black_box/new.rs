//! `stigmer new`. That the project builds and can be applied is proved by the end-to-end suite.

use std::fs;

use serde_json::Value;

use crate::support::Stigmer;

#[test]
fn a_project_is_written_with_its_sdk() {
    let stigmer = Stigmer::without_server();
    let root = tempfile::tempdir().unwrap();
    let shown = stigmer.run_in(root.path(), &["new", "my-agents"]).well();
    assert!(shown.contains("Project created successfully!"), "{shown}");
    let read = |name: &str| fs::read_to_string(root.path().join("my-agents").join(name)).unwrap();
    assert!(read("Stigmer.yaml").starts_with("name: my-agents\nruntime: rust\n"));
    assert!(read("Cargo.toml").contains("stigmer = { path = \"vendor/stigmer/sdk\" }"));
    assert!(read("src/main.rs").contains("\"pr-reviewer\""));
    assert!(read(".gitignore").contains("/.stigmer"));
    assert!(read("vendor/stigmer/sdk/Cargo.toml").contains("name = \"stigmer\""));
    read("README.md");
}

#[test]
fn the_current_directory_is_used_when_it_is_empty() {
    let stigmer = Stigmer::without_server();
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("here");
    fs::create_dir_all(dir.join(".git")).unwrap();
    let shown = stigmer.run_in(&dir, &["new", "-o", "json"]).well();
    let report: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(report["name"], "here");
    assert!(dir.join("Stigmer.yaml").is_file());
    let error = stigmer.run_in(&dir, &["new"]).badly();
    assert!(error.contains("Current directory is not empty"), "{error}");
}

#[test]
fn bad_names_and_taken_places_are_refused_and_nothing_is_written() {
    let stigmer = Stigmer::without_server();
    let root = tempfile::tempdir().unwrap();
    let new = |name: &str| stigmer.run_in(root.path(), &["new", name]).badly();
    for name in ["a b", "../a", "a/b", "ä", ""] {
        assert!(new(name).contains("Invalid project name"), "{name:?}");
    }
    fs::write(root.path().join("taken"), "mine").unwrap();
    assert!(new("taken").contains("Directory 'taken' already exists"));
    assert_eq!(
        fs::read_to_string(root.path().join("taken")).unwrap(),
        "mine"
    );
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn another_sdk_can_be_named() {
    let stigmer = Stigmer::without_server();
    let root = tempfile::tempdir().unwrap();
    let sdk = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk");
    stigmer
        .run_in(root.path(), &["new", "a", "--sdk", sdk])
        .well();
    assert!(!root.path().join("a/vendor").exists());
    let error = stigmer
        .run_in(root.path(), &["new", "b", "--sdk", "."])
        .badly();
    assert!(error.contains("is not the SDK"), "{error}");
    assert!(!root.path().join("b").exists());
}
