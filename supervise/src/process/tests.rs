use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::*;

struct Folder {
    _keep: tempfile::TempDir,
    path: Utf8PathBuf,
}

fn folder() -> Folder {
    let keep = tempfile::tempdir().unwrap();
    Folder {
        path: Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap(),
        _keep: keep,
    }
}

fn shell(folder: &Folder, script: &str) -> Spec {
    Spec::new("shell", "/bin/sh", folder.path.join("log")).args(["-c", script])
}

async fn ended(process: &mut Process) -> ExitStatus {
    tokio::time::timeout(Duration::from_secs(10), process.ended())
        .await
        .expect("it ends within 10 s")
}

/// Waits until `path` holds a line and returns it.
fn line(path: &Utf8Path) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Ok(text) = std::fs::read_to_string(path)
            && let Some(line) = text.lines().next()
            && text.ends_with('\n')
        {
            return line.to_owned();
        }
        assert!(Instant::now() < deadline, "{path} has no line after 10 s");
        thread::sleep(Duration::from_millis(2));
    }
}

#[tokio::test]
async fn both_streams_reach_the_log_in_their_true_order() {
    let folder = folder();
    let mut process = Process::spawn(&shell(
        &folder,
        "echo one; echo two >&2; echo three; exit 7",
    ))
    .unwrap();
    assert_eq!(ended(&mut process).await.code(), Some(7));
    assert_eq!(
        std::fs::read_to_string(folder.path.join("log")).unwrap(),
        "one\ntwo\nthree\n"
    );
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let folder = folder();
    let spec = Spec::new("x", "/no/such/program", folder.path.join("log"));
    let error = Process::spawn(&spec).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/no/such/program cannot be run: No such file"),
        "{error}"
    );
}

#[tokio::test]
async fn what_the_leader_leaves_in_its_group_ends_with_it() {
    let folder = folder();
    let mut process = Process::spawn(&shell(&folder, "sleep 600 & echo $!")).unwrap();
    ended(&mut process).await;
    let pid: u32 = line(&folder.path.join("log")).parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while Identity::of(pid).is_some() {
        assert!(
            Instant::now() < deadline,
            "the leader's child {pid} still runs"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn dropping_a_process_ends_its_whole_group() {
    let folder = folder();
    let process =
        Process::spawn(&shell(&folder, "trap '' TERM; sleep 600 & echo $!; wait")).unwrap();
    let child: u32 = line(&folder.path.join("log")).parse().unwrap();
    let leader = process.identity().unwrap();
    drop(process);
    assert!(!leader.is_alive());
    let deadline = Instant::now() + Duration::from_secs(10);
    while Identity::of(child).is_some() {
        assert!(
            Instant::now() < deadline,
            "the leader's child {child} still runs"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_signal_after_the_end_goes_nowhere() {
    let folder = folder();
    let mut process = Process::spawn(&shell(&folder, "exit 0")).unwrap();
    ended(&mut process).await;
    process.signal(Signal::KILL);
    assert_eq!(
        process.try_ended().and_then(|status| status.code()),
        Some(0),
        "the status stays what it was"
    );
}

#[tokio::test]
async fn a_held_stdin_closes_when_the_owner_lets_go() {
    let folder = folder();
    let process =
        Process::spawn(&shell(&folder, "echo up; cat >/dev/null; echo closed").hold_stdin())
            .unwrap();
    line(&folder.path.join("log"));
    assert!(
        process.identity().unwrap().is_alive(),
        "it waits for its stdin"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_dies_when_its_owner_is_killed() {
    // The owner is this test binary again, which runs the helper below and is killed.
    let folder = folder();
    let owner = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "process::tests::helper_owner",
            "--ignored",
            "--nocapture",
        ])
        .env("HELPER_FOLDER", folder.path.as_str())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut owner = owner.unwrap();
    let pid: u32 = line(&folder.path.join("pid")).parse().unwrap();
    let child = Identity::of(pid).expect("the child runs");
    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while child.is_alive() {
        assert!(
            Instant::now() < deadline,
            "the child {pid} outlived its owner"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
#[ignore = "the owner that a_child_dies_when_its_owner_is_killed kills"]
fn helper_owner() {
    let folder = Utf8PathBuf::from(std::env::var("HELPER_FOLDER").expect("only run by its test"));
    let spec = Spec::new("sleep", "/bin/sleep", folder.join("log")).args(["600"]);
    // Spawned by a thread that ends at once: the child must live on all the same.
    let process = thread::spawn(move || Process::spawn(&spec).unwrap())
        .join()
        .unwrap();
    thread::sleep(Duration::from_millis(50));
    assert!(
        process.identity().unwrap().is_alive(),
        "the child died with the thread that asked for it"
    );
    std::fs::write(folder.join("pid"), format!("{}\n", process.pid())).unwrap();
    thread::sleep(Duration::from_secs(600));
}

/// Takes over SIGKILL, and leaves the rest to the client.
#[derive(Debug, Default)]
struct Elsewhere(std::sync::Mutex<Vec<Signal>>);

impl Relay for Elsewhere {
    fn signal(&self, signal: Signal) -> bool {
        self.0.lock().unwrap().push(signal);
        signal == Signal::KILL
    }
}

#[tokio::test]
async fn a_client_gets_the_signals_that_its_relay_does_not_take_over() {
    let folder = folder();
    let elsewhere = Arc::new(Elsewhere::default());
    let spec = shell(
        &folder,
        "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done",
    );
    let mut process = Process::spawn(&spec.client_of(elsewhere.clone())).unwrap();
    line(&folder.path.join("log"));
    process.signal(Signal::KILL);
    assert_eq!(process.try_ended(), None, "the client was killed as well");
    process.signal(Signal::TERM);
    assert_eq!(ended(&mut process).await.code(), Some(5));
    assert_eq!(*elsewhere.0.lock().unwrap(), [Signal::KILL, Signal::TERM]);
}
