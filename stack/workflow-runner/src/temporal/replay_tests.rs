//! Workflows outlive the runner that began them: what one build recorded, the next must replay.
//!
//! The history is one run of every kind of task but the gRPC and agent calls: a switch, loops, a race
//! with its cancellations, branches, a caught error, a signal, a child workflow, a raised error. It
//! was exported by `stigmer_temporal::history_json`, as the results folder of the suite has it.

use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

use super::ServerlessWorkflow;

const EVERYTHING: &str = include_str!("histories/everything.json");

async fn replay(history: &str) -> Result<(), String> {
    let history = WorkflowHistory::from_json(history.as_bytes()).map_err(|e| e.to_string())?;
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<ServerlessWorkflow>()
        .map_err(|e| e.to_string())?
        .build();
    let replayer = WorkflowReplayer::new(options).map_err(|e| e.to_string())?;
    replayer
        .replay_workflow(history)
        .await
        .map_err(|e| format!("{e:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_run_replays_to_the_same_commands() {
    replay(EVERYTHING)
        .await
        .expect("the same commands in the same order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_another_course_is_noticed() {
    let other = EVERYTHING.replace("CallHTTPActivity", "CallOtherActivity");
    let error = replay(&other)
        .await
        .expect_err("other activities were recorded");
    assert!(
        error.contains("CallOtherActivity") || error.to_lowercase().contains("determinis"),
        "{error}"
    );
}
