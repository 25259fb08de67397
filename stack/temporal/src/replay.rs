//! Whether workflows that an earlier build began would go on with this one: their histories are
//! replayed against the workflows of the program.

use std::{io, process::ExitCode};

use serde_json::json;
use temporalio_client::WorkflowHistory;
use temporalio_common::WorkflowDefinition;
use temporalio_sdk::workflow_replayer::{
    WorkflowReplayResult, WorkflowReplayer, WorkflowReplayerOptions,
};
use temporalio_workflow::workflows::WorkflowImplementation;

use crate::Encryption;

/// What makes a program replay instead of doing its work: its only argument.
const VERB: &str = "replay";

/// The workflows of one program.
#[derive(Default)]
pub struct Replayer {
    encryption: Option<Encryption>,
    workflows: Vec<fn(&mut WorkflowReplayerOptions)>,
}

/// How the replay of one history ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The workflow's id; empty when the history does not tell.
    pub workflow_id: String,
    /// Why the program would not go on with this workflow. It names the event where the two part.
    pub failure: Option<String>,
}

/// Nothing was replayed.
#[derive(Debug, thiserror::Error)]
#[error("failed to replay: {0}")]
pub struct ReplayError(String);

impl Replayer {
    /// One that reads payloads as `encryption` says.
    #[must_use]
    pub fn with_encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// Adds a workflow type.
    #[must_use]
    pub fn with_workflow<W>(mut self) -> Self
    where
        W: WorkflowImplementation,
        <W::Run as WorkflowDefinition>::Input: Send,
    {
        self.workflows.push(|options| {
            options
                .register_workflow::<W>()
                .expect("a program has one workflow of each name");
        });
        self
    }

    /// Replays `histories`, each as [`crate::history_json`] gives it, and tells of each, in order.
    ///
    /// # Errors
    ///
    /// When one is not a history, or the SDK cannot replay at all.
    pub async fn replay(&self, histories: &[String]) -> Result<Vec<Replayed>, ReplayError> {
        let failed = |error: &dyn std::fmt::Display| ReplayError(error.to_string());
        let histories = histories
            .iter()
            .map(|history| WorkflowHistory::from_json(history.as_bytes()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(&error))?;
        let encryption = self.encryption.clone().unwrap_or_else(Encryption::none);
        let mut options = WorkflowReplayerOptions::new()
            .data_converter(encryption.data_converter())
            .build();
        self.workflows.iter().for_each(|add| add(&mut options));
        let replayer = WorkflowReplayer::new(options).map_err(|error| failed(&error))?;
        let results = replayer.replay_workflows(histories).await;
        Ok(results
            .map_err(|error| failed(&error))?
            .into_iter()
            .map(Replayed::from)
            .collect())
    }
}

impl From<WorkflowReplayResult> for Replayed {
    fn from(result: WorkflowReplayResult) -> Self {
        Self {
            workflow_id: result.history.workflow_id().unwrap_or_default().to_owned(),
            failure: result.replay_failure.map(|failure| failure.to_string()),
        }
    }
}

/// `PROGRAM replay`: reads histories from standard input, one a line, and writes one JSON object for
/// each, `{"workflow_id": …, "failure": …}`. Payloads are read as the environment says
/// ([`Encryption::from_env`]). Code 0 when this build would go on with all of them, 1 when not with
/// one, 2 when they cannot be replayed. `None` when the program was not asked to.
pub fn replay_if_asked(replayer: impl FnOnce() -> Replayer) -> Option<ExitCode> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if arguments != [VERB] {
        return None;
    }
    let replayed = replay_input(replayer());
    Some(match replayed {
        Ok(all) => {
            for Replayed {
                workflow_id,
                failure,
            } in &all
            {
                println!(
                    "{}",
                    json!({"workflow_id": workflow_id, "failure": failure})
                );
            }
            u8::from(all.iter().any(|one| one.failure.is_some())).into()
        }
        Err(error) => {
            eprintln!("Error: {error}");
            2.into()
        }
    })
}

fn replay_input(replayer: Replayer) -> Result<Vec<Replayed>, ReplayError> {
    let failed = |error: &dyn std::fmt::Display| ReplayError(error.to_string());
    let encryption = Encryption::from_env().map_err(|error| failed(&error))?;
    let histories = io::stdin()
        .lines()
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| failed(&error))?;
    runtime.block_on(replayer.with_encryption(encryption).replay(&histories))
}
