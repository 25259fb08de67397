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

/// Ready as soon as the log says `up`.
fn says_up(folder: &Folder) -> impl Fn() -> std::future::Ready<Readiness> + use<> {
    let log = folder.path.join("log");
    move || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        std::future::ready(if text.contains("up\n") {
            Readiness::Ready
        } else {
            Readiness::NotYet(format!("{} bytes of log", text.len()))
        })
    }
}

#[tokio::test]
async fn ready_then_a_graceful_stop_without_force() {
    let folder = folder();
    let mut child = Child::spawn(shell(
        &folder,
        "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done",
    ))
    .unwrap();
    let after = child.wait_ready(says_up(&folder)).await.unwrap();
    assert!(after < Duration::from_secs(5), "{after:?}");
    let stopped = child.stop(StopPolicy::default()).await.unwrap();
    assert_eq!(
        (stopped.status.and_then(|s| s.code()), stopped.forced),
        (Some(0), false)
    );
}

#[tokio::test]
async fn death_ends_the_wait_at_once_with_status_and_log() {
    let folder = folder();
    let mut child = Child::spawn(shell(&folder, "echo no database >&2; exit 3")).unwrap();
    let begin = Instant::now();
    let error = child.wait_ready(says_up(&folder)).await.unwrap_err();
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    assert!(
        matches!(error.failure, Failure::DiedStarting { status, .. } if status.code() == Some(3)),
        "{error}"
    );
    assert_eq!(error.tail, ["no database"]);
}

#[tokio::test]
async fn time_out_tells_the_last_status_and_kills() {
    let folder = folder();
    let spec = shell(&folder, "sleep 600").ready_within(Duration::from_millis(80));
    let mut child = Child::spawn(spec).unwrap();
    let error = child.wait_ready(says_up(&folder)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("was not ready within 80ms; last seen: 0 bytes of log"),
        "{error}"
    );
    let status = tokio::time::timeout(Duration::from_secs(5), child.ended())
        .await
        .expect("it was killed");
    assert!(!status.success());
}

#[tokio::test]
async fn time_out_does_not_wait_for_a_probe_that_hangs() {
    let folder = folder();
    let mut child =
        Child::spawn(shell(&folder, "sleep 600").ready_within(Duration::from_millis(50))).unwrap();
    let waited = tokio::time::timeout(
        Duration::from_secs(5),
        child.wait_ready(std::future::pending::<Readiness>),
    )
    .await;
    assert!(
        matches!(
            waited,
            Ok(Err(ServiceError {
                failure: Failure::NotReady { .. },
                ..
            }))
        ),
        "{waited:?}"
    );
}

#[tokio::test]
async fn an_answer_from_somebody_else_does_not_make_a_dead_process_ready() {
    let folder = folder();
    let mut child = Child::spawn(shell(&folder, "exit 1")).unwrap();
    let error = child.wait_ready(|| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Readiness::Ready
    });
    assert!(matches!(
        error.await.unwrap_err().failure,
        Failure::DiedStarting { .. }
    ));
}

#[tokio::test]
async fn a_process_that_ignores_the_request_is_killed_and_counted() {
    let folder = folder();
    let mut child = Child::spawn(shell(
        &folder,
        "trap '' TERM; echo up; while :; do sleep 0.01; done",
    ))
    .unwrap();
    child.wait_ready(says_up(&folder)).await.unwrap();
    let stopped = child
        .stop(StopPolicy::Graceful {
            grace: Duration::from_millis(100),
        })
        .await
        .unwrap();
    assert!(
        stopped.forced && stopped.took >= Duration::from_millis(100),
        "{stopped:?}"
    );
}

#[tokio::test]
async fn a_frozen_process_can_be_stopped_gracefully() {
    let folder = folder();
    let mut child = Child::spawn(shell(
        &folder,
        "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done",
    ))
    .unwrap();
    child.wait_ready(says_up(&folder)).await.unwrap();
    child.signal(Signal::STOP);
    let stopped = child.stop(StopPolicy::default()).await.unwrap();
    assert!(!stopped.forced, "{stopped:?}");
}

#[tokio::test]
async fn stopping_what_has_ended_is_no_error_and_not_forced() {
    let folder = folder();
    let mut child = Child::spawn(shell(&folder, "exit 0")).unwrap();
    child.ended().await;
    let stopped = child.stop(StopPolicy::default()).await.unwrap();
    assert_eq!((stopped.forced, stopped.took), (false, Duration::ZERO));
}
