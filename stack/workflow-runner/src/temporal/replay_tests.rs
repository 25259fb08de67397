//! Workflows outlive the runner that began them: what one build recorded, the next must replay.
//!
//! The history is one run of every kind of task but the gRPC and agent calls: a switch, loops, a race
//! with its cancellations, branches, a caught error, a signal, a child workflow, a raised error. It
//! was exported by `stigmer_temporal::history_json`, as the results folder of the suite has it.

use crate::service::replayer;

const EVERYTHING: &str = include_str!("histories/everything.json");

/// Why the recorded run would not go on, if it would not.
async fn replay(history: String) -> Option<String> {
    let replayed = replayer().replay(&[history]).await;
    let mut replayed = replayed.expect("it is a history");
    replayed.pop().expect("one history, one answer").failure
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_run_replays_to_the_same_commands() {
    assert_eq!(replay(EVERYTHING.to_owned()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_another_course_is_noticed() {
    let other = EVERYTHING.replace("CallHTTPActivity", "CallOtherActivity");
    let error = replay(other).await.expect("other activities were recorded");
    assert!(
        error.contains("CallOtherActivity") || error.to_lowercase().contains("determinis"),
        "{error}"
    );
}
