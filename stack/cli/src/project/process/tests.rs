use std::time::Instant;

use nix::{errno::Errno, sys::signal::kill};

use super::*;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

async fn run_shell(script: &str, limit: Option<Duration>) -> Finished {
    run(shell(script), limit).await.unwrap()
}

fn is_gone(pid: &str) -> bool {
    kill(Pid::from_raw(pid.trim().parse().unwrap()), None) == Err(Errno::ESRCH)
}

async fn wait_until_gone(pid: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !is_gone(pid) {
        assert!(Instant::now() < deadline, "process {pid} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn streams_and_exit_code_come_back() {
    let finished = run_shell("echo out; echo err >&2; exit 3", None).await;
    assert_eq!(
        (finished.stdout.as_str(), finished.stderr.as_str()),
        ("out\n", "err\n")
    );
    assert_eq!(describe(finished.status.unwrap()), "exited with code 3");
    assert!(!finished.succeeded());
}

#[tokio::test]
async fn a_signal_is_named() {
    let finished = run_shell("kill -ABRT $$", None).await;
    assert_eq!(
        describe(finished.status.unwrap()),
        "was killed by signal SIGABRT"
    );
}

#[tokio::test]
async fn a_program_that_runs_for_ever_is_killed_with_its_children() {
    let started = Instant::now();
    let finished = run_shell(
        "sleep 1000 & echo $!; wait",
        Some(Duration::from_millis(200)),
    )
    .await;
    assert!(finished.status.is_none());
    assert!(started.elapsed() < Duration::from_secs(5));
    wait_until_gone(&finished.stdout).await;
}

#[tokio::test]
async fn a_child_that_is_left_behind_neither_survives_nor_delays() {
    let started = Instant::now();
    let finished = run_shell("sleep 1000 & echo $!", None).await;
    assert!(finished.succeeded());
    assert!(started.elapsed() < Duration::from_secs(5));
    wait_until_gone(&finished.stdout).await;
}

#[tokio::test]
async fn giving_up_the_wait_kills_the_group() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let script = format!(
        "echo $$ > {0}.part; mv {0}.part {0}; sleep 1000",
        file.display()
    );
    let waiting = tokio::spawn(run(shell(&script), None));
    let pid = loop {
        match std::fs::read_to_string(&file) {
            Ok(pid) => break pid,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    wait_until_gone(&pid).await;
}

#[tokio::test]
async fn endless_output_is_kept_at_both_ends() {
    let finished = run_shell(
        "echo first; head -c 4194304 /dev/zero | tr '\\0' x; echo; echo last",
        None,
    )
    .await;
    assert!(finished.stdout.starts_with("first\n") && finished.stdout.ends_with("last\n"));
    assert!(
        finished.stdout.len() < 2 * KEPT + 100,
        "{}",
        finished.stdout.len()
    );
    assert!(finished.stdout.contains("bytes left out"));
}

#[test]
fn a_short_text_is_shown_whole() {
    assert_eq!(excerpt("a\nb\n", 10, |_| false), "a\nb");
}

#[test]
fn a_long_text_keeps_its_ends() {
    let text = format!("first\n{}\nlast", "é".repeat(1000));
    let shown = excerpt(&text, 100, |_| false);
    assert!(
        shown.starts_with("first\n") && shown.ends_with("\nlast"),
        "{shown}"
    );
    assert!(shown.len() < 200, "{}", shown.len());
}

#[test]
fn the_cause_is_never_cut_away() {
    let warnings = "warning: something\n".repeat(100);
    let text =
        format!("{warnings}error[E0308]: mismatched types\n --> src/main.rs:7:9\n{warnings}end");
    let shown = excerpt(&text, 200, |line| line.starts_with("error"));
    assert!(
        shown.contains("error[E0308]: mismatched types\n --> src/main.rs:7:9"),
        "{shown}"
    );
    assert!(shown.ends_with("end") && shown.len() < 400, "{shown}");
}
