//! What the workflow of an execution does in the server: writing its end, and answering who waits.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use stigmer_api::{
    agent_execution::{AgentExecution, AgentExecutionStatus, MessageType},
    temporal_names::activity,
    workflow_execution::{WorkflowExecution, WorkflowExecutionStatus},
};
use stigmer_temporal::{Client, Proto};
use temporalio_client::{ActivityIdentifier, RpcOptions, errors::AsyncActivityError};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use crate::{
    executions::{self, Execution as _, Phase},
    store::Store,
};

/// The activities of agent executions, and what they work on.
pub struct AgentExecutionActivities {
    pub store: Store,
    pub client: Client,
}

/// The activities of workflow executions, and what they work on.
pub struct WorkflowExecutionActivities {
    pub store: Store,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// With this last message of the agent.
    Answered(String),
    /// Without an answer, for this cause.
    Failed(String),
}

/// What to tell whoever waits for an execution. The names are the contract's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Completion {
    /// The task token of the waiting activity, in base64.
    pub callback_token: String,
    /// What the activity returns.
    pub result: Option<String>,
    /// What it fails with instead.
    pub error: Option<String>,
}

impl Completion {
    pub fn new(token: &[u8], outcome: Outcome) -> Self {
        let callback_token = BASE64_STANDARD.encode(token);
        match outcome {
            Outcome::Answered(answer) => Self {
                callback_token,
                result: Some(answer),
                error: None,
            },
            Outcome::Failed(cause) => Self {
                callback_token,
                result: None,
                error: Some(cause),
            },
        }
    }
}

#[activities]
impl AgentExecutionActivities {
    /// Writes the status that the workflow is left with, unless the runner reported the end, and
    /// tells how the execution ended.
    #[activity(name = activity::UPDATE_EXECUTION_STATUS)]
    pub async fn update_execution_status(
        self: Arc<Self>,
        _ctx: ActivityContext,
        execution_id: String,
        status: Proto<AgentExecutionStatus>,
    ) -> Result<Outcome, ActivityError> {
        let stored =
            executions::conclude::<AgentExecution>(&self.store, execution_id, status.0).await?;
        Ok(stored.map_or_else(
            || Outcome::Failed("the execution was deleted".to_owned()),
            outcome_of,
        ))
    }

    /// Completes or fails the activity behind a callback token. One that nobody waits for any more is
    /// fine.
    #[activity(name = activity::COMPLETE_EXTERNAL)]
    pub async fn complete_external_activity(
        self: Arc<Self>,
        _ctx: ActivityContext,
        completion: Completion,
    ) -> Result<(), ActivityError> {
        let token = BASE64_STANDARD
            .decode(&completion.callback_token)
            .map_err(|error| {
                ActivityError::application(ApplicationFailure::non_retryable(error))
            })?;
        if token.is_empty() {
            return Ok(());
        }
        let waiting = self
            .client
            .get_async_activity_handle(ActivityIdentifier::from_task_token(token.into()));
        let options = RpcOptions::builder()
            .timeout(Duration::from_secs(10))
            .build();
        let told = match completion.error {
            None => {
                waiting
                    .complete(Some(completion.result.unwrap_or_default()), options)
                    .await
            }
            Some(cause) => {
                // What the agent did is done; calling it again is not the server's choice.
                waiting
                    .fail(
                        ApplicationFailure::non_retryable(cause),
                        None::<String>,
                        options,
                    )
                    .await
            }
        };
        match told {
            Err(AsyncActivityError::NotFound(_)) => {
                tracing::info!("nobody waits for this execution any more");
                Ok(())
            }
            told => Ok(told?),
        }
    }
}

#[activities]
impl WorkflowExecutionActivities {
    /// Writes the status that the workflow is left with, unless the runner reported the end.
    #[activity(name = activity::UPDATE_EXECUTION_STATUS)]
    pub async fn update_execution_status(
        self: Arc<Self>,
        _ctx: ActivityContext,
        execution_id: String,
        status: Proto<WorkflowExecutionStatus>,
    ) -> Result<(), ActivityError> {
        executions::conclude::<WorkflowExecution>(&self.store, execution_id, status.0).await?;
        Ok(())
    }
}

fn outcome_of(execution: AgentExecution) -> Outcome {
    let phase = execution.current_phase();
    let status = execution.status.unwrap_or_default();
    if phase == Phase::Completed {
        let answer = status
            .messages
            .into_iter()
            .rfind(|m| m.r#type() == MessageType::MessageAi);
        return Outcome::Answered(answer.map_or_else(String::new, |message| message.content));
    }
    Outcome::Failed(match (phase, status.error.as_str()) {
        (Phase::Cancelled, _) => "the agent execution was cancelled".to_owned(),
        (_, "") => format!("the agent execution ended as {phase:?}"),
        (_, error) => error.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use stigmer_api::{Resource as _, agent_execution::AgentMessage};

    use super::*;

    fn execution(phase: Phase, error: &str, messages: &[(MessageType, &str)]) -> AgentExecution {
        let mut execution = AgentExecution::envelope();
        execution.status = Some(AgentExecutionStatus {
            phase: phase.number(),
            error: error.to_owned(),
            messages: messages
                .iter()
                .map(|&(kind, content)| AgentMessage {
                    r#type: kind as i32,
                    content: content.to_owned(),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        execution
    }

    #[test]
    fn the_answer_is_the_last_message_of_the_agent_not_the_last_of_any_kind() {
        let done = execution(
            Phase::Completed,
            "",
            &[
                (MessageType::MessageHuman, "question"),
                (MessageType::MessageAi, "first"),
                (MessageType::MessageAi, "second"),
                (MessageType::MessageTool, "tool"),
            ],
        );
        assert_eq!(outcome_of(done), Outcome::Answered("second".to_owned()));
    }

    #[test]
    fn a_failure_tells_its_cause() {
        let failed = execution(
            Phase::Failed,
            "the model is gone",
            &[(MessageType::MessageAi, "half")],
        );
        assert_eq!(
            outcome_of(failed),
            Outcome::Failed("the model is gone".to_owned())
        );
    }

    #[test]
    fn a_completion_has_the_names_of_the_contract() {
        let completion = Completion::new(b"token", Outcome::Failed("why".to_owned()));
        let json = serde_json::to_value(&completion).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"CallbackToken": "dG9rZW4=", "Result": null, "Error": "why"})
        );
    }
}
