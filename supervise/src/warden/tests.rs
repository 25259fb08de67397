//! A warden takes over all children of its process, so each test gives it a process of its own.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Stdio},
};

use super::*;

/// A warden in a process of its own, and what it and its owner print.
struct Warden {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Warden {
    /// A warden whose owner is a shell that runs `script`.
    fn of(script: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "warden::tests::helper_warden"])
            .args(["--ignored", "--nocapture"])
            .env("HELPER_SCRIPT", script)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Reads on until a line contains `words`.
    fn wait_for(&mut self, words: &str) -> String {
        let found = self
            .lines
            .by_ref()
            .map(Result::unwrap)
            .find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("it ended without saying {words:?}"))
    }

    fn signal(&self, signal: Signal) {
        assert!(Identity::of(self.process.id()).unwrap().signal(signal));
    }

    fn end(mut self) {
        self.process.wait().unwrap();
    }
}

fn is_running(command: &str) -> bool {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Identity::of(pid).and(leftovers::command_of(pid)))
        .any(|running| running == command)
}

/// A command that no other process has.
fn unique_sleep(what: &str) -> String {
    format!("sleep 600.{}{what}", std::process::id())
}

#[test]
fn what_an_owner_that_is_killed_leaves_is_taken_down_however_it_hid() {
    let (session, orphan) = (unique_sleep("1"), unique_sleep("2"));
    // A session of its own without its environment; and an orphan of a parent that has ended.
    let script = format!("env -i setsid {session} & ({orphan} &); kill -9 $$");
    let mut warden = Warden::of(&script);
    let told = warden.wait_for("aftermath");
    assert!(told.contains("signal Some(9)"), "{told}");
    warden.end();
    assert!(
        !is_running(&session) && !is_running(&orphan),
        "something lives"
    );
}

#[test]
fn an_owner_that_leaves_nothing_ends_as_if_there_were_no_warden() {
    let mut warden = Warden::of("exit 7");
    let told = warden.wait_for("aftermath");
    assert!(
        told.ends_with("code Some(7) signal None killed []"),
        "{told}"
    );
    warden.end();
}

#[test]
fn a_signal_to_the_warden_reaches_the_owner() {
    let mut warden =
        Warden::of("trap 'echo asked; exit 3' INT; echo listening; while :; do sleep 0.01; done");
    warden.wait_for("listening");
    warden.signal(Signal::INT);
    warden.wait_for("asked");
    let told = warden.wait_for("aftermath");
    assert!(told.contains("code Some(3)"), "{told}");
    warden.end();
}

#[test]
fn an_owner_whose_warden_is_killed_is_asked_to_end() {
    let mut warden =
        Warden::of("trap 'echo asked; exit 0' TERM; echo listening; while :; do sleep 0.01; done");
    warden.wait_for("listening");
    warden.signal(Signal::KILL);
    warden.wait_for("asked");
    warden.end();
}

#[test]
#[ignore = "the process that the other tests start"]
fn helper_warden() {
    let script = std::env::var("HELPER_SCRIPT").expect("only run by the other tests");
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    let mark = Mark {
        variable: "STIGMER_WARDEN_TEST",
        owner: "nobody".to_owned(),
    };
    let Aftermath { status, killed } = watch(command, &mark).unwrap();
    let (code, signal) = (status.code(), status.signal());
    println!("aftermath: code {code:?} signal {signal:?} killed {killed:?}");
}
