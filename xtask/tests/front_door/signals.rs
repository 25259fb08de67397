//! Signals on the way to the driver.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::world::World;

/// A driver that says when it is there, notes each SIGINT, and ends a moment after the first, so
/// that a second one would be noted as well.
const DRIVER: &str = "trap 'echo INT >> NOTES; ended=1' INT\n\
    touch READY\n\
    tries=0\n\
    while [ -z \"$ended\" ] && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries+1)); done\n\
    sleep 0.2\n\
    exit 130";

#[test]
fn ctrl_c_reaches_the_driver_exactly_once_and_its_code_is_the_verdict() {
    let world = World::new();
    let (notes, ready) = (world.path("notes"), world.path("ready"));
    world.driver(
        &DRIVER
            .replace("NOTES", notes.as_str())
            .replace("READY", ready.as_str()),
    );
    let mut child = world
        .xtask(&["test"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    wait_until("the driver runs", || ready.exists());
    signal(&child, "-INT");
    let mut code = None;
    wait_until("xtask ends", || {
        code = child.try_wait().expect("our child");
        code.is_some()
    });
    assert_eq!(code.and_then(|status| status.code()), Some(130));
    assert_eq!(world.read("notes"), "INT\n");
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill starts").success());
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "waited 20 s until {what}"
        );
        thread::sleep(Duration::from_millis(5));
    }
}
