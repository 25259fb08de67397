//! Downloads that are interrupted, with the pinned pip itself and a package index of our own.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    index::{Fault, Happened, Index, Request},
    world::World,
};

const TOOL: &str = "temporal_cli-1.0.0-py3-none-any.whl";
/// Enough for pip to have written some of it when half of it was sent.
const SIZE: usize = 4 << 20;

/// A world whose Python and pip are real, and whose index serves the pinned pip and one large tool.
fn world_with(fault: Fault) -> (World, Index, String) {
    let mut world = World::new();
    let pip = pinned_pip();
    let pip_file = pip["wheel"]["path"].as_str().expect("a name").to_owned();
    let wheel = world.use_real_pip(&pip, TOOL, SIZE);
    let files = vec![
        (TOOL.to_owned(), wheel),
        (pip_file.clone(), fs::read(fetched_pip()).expect("readable")),
    ];
    let index = Index::serve(files, &[(TOOL, fault)]);
    world.use_index(&index.url);
    (world, index, pip_file)
}

/// What the checkout pins as pip.
pub fn pinned_pip() -> Value {
    let pins = concat!(env!("CARGO_MANIFEST_DIR"), "/../pins.json");
    let pins: Value =
        serde_json::from_str(&fs::read_to_string(pins).expect("readable")).expect("JSON");
    pins["artefacts"]["pip"]["platforms"][crate::packages::platform()].clone()
}

/// The pinned pip of this machine's cache; fetched if it is not there yet.
pub fn fetched_pip() -> String {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let asked = xtask
        .args(["pins", "fetch", "pip", "--json"])
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("starts");
    let printed = String::from_utf8(asked.stdout).expect("UTF-8");
    assert!(asked.status.success(), "{printed}");
    let row: Value = serde_json::from_str(printed.trim()).expect("one object");
    row["detail"].as_str().expect("a path").to_owned()
}

fn whole(file: &str) -> Request {
    Request {
        file: file.to_owned(),
        range: None,
    }
}

#[test]
fn a_download_whose_connection_breaks_goes_on_where_it_stopped() {
    let (world, index, pip) = world_with(Fault::Cut);
    let ended = world.run(&["pins", "fetch", "temporal-cli"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(index.requests(&pip), [whole(&pip)], "pip fetched itself");
    let [first, second] = &index.requests(TOOL)[..] else {
        panic!("two requests, not {:?}", index.requests(TOOL))
    };
    assert_eq!(first, &whole(TOOL));
    let range = second.range.as_deref().expect("it goes on");
    let start = range.trim_start_matches("bytes=").trim_end_matches('-');
    let start: usize = start.parse().expect("a number");
    assert!(start > 0 && start <= SIZE, "{range}");
    let verified = world.run(&["pins", "verify", "--json"]).objects();
    assert_eq!(verified[0]["state"], "intact", "{:?}", verified[0]);
}

#[test]
fn a_killed_run_takes_its_pip_along_and_the_next_one_keeps_nothing_half_made() {
    let (world, index, pip) = world_with(Fault::Stall);
    let mut killed = world
        .xtask(&["pins", "fetch", "temporal-cli"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    index.wait_for(Happened::Stalled);
    killed.kill().expect("ours");
    killed.wait().expect("ours");
    index.wait_for(Happened::GoneAway);

    let ended = world.run(&["pins", "fetch", "temporal-cli"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(
        index.requests(TOOL),
        [whole(TOOL), whole(TOOL)],
        "nobody goes on with what a killed run began"
    );
    assert_eq!(
        index.requests(&pip),
        [whole(&pip)],
        "what was whole is kept"
    );
    let verified = world.run(&["pins", "verify", "--json"]).objects();
    assert_eq!(verified[0]["state"], "intact", "{:?}", verified[0]);
    let version = world.path("home/.cache/stigmer-e2e/temporal-cli/1.0.0");
    let mut left: Vec<_> = version
        .read_dir_utf8()
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().to_owned())
        .collect();
    left.sort();
    let platform = crate::packages::platform();
    assert_eq!(left, [platform.clone(), format!("{platform}.lock")]);
}
