//! Who waits for an agent execution: an activity of another workflow, known by its task token. It is
//! told how the execution ends; and the execution is cancelled when it does not wait any more.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use stigmer_api::{
    agent_execution::{AgentExecution, MessageType},
    temporal_names::activity,
};
use stigmer_temporal::Client;
use temporalio_client::{
    ActivityIdentifier, AsyncActivityHandle, RpcOptions, errors::AsyncActivityError,
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::executions::{Execution as _, Phase};

/// How often the waiting activity is asked whether it still waits.
const ATTEND: Duration = Duration::from_secs(2);

/// How soon after its heartbeat this learns that it is not wanted any more.
pub const HEARTBEAT: Duration = Duration::from_millis(250);

/// How long one request about it may take.
const REQUEST: Duration = Duration::from_secs(10);

/// The activities, and what they work with.
pub struct CallbackActivities {
    pub client: Client,
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
    /// The completion of the activity behind a token, see [`callback_token`].
    pub fn new(callback_token: String, outcome: Outcome) -> Self {
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

/// A task token as it travels.
pub fn callback_token(token: &[u8]) -> String {
    BASE64_STANDARD.encode(token)
}

impl Outcome {
    /// How a stored execution ended.
    pub fn of(execution: AgentExecution) -> Self {
        let phase = execution.current_phase();
        let status = execution.status.unwrap_or_default();
        if phase == Phase::Completed {
            let answer = status
                .messages
                .into_iter()
                .rfind(|m| m.r#type() == MessageType::MessageAi);
            return Self::Answered(answer.map_or_else(String::new, |message| message.content));
        }
        Self::Failed(match (phase, status.error.as_str()) {
            (Phase::Cancelled, _) => "the agent execution was cancelled".to_owned(),
            (_, "") => format!("the agent execution ended as {phase:?}"),
            (_, error) => error.to_owned(),
        })
    }
}

#[activities]
impl CallbackActivities {
    /// Completes or fails the activity behind a callback token. One that nobody waits for any more is
    /// fine.
    #[activity(name = activity::COMPLETE_EXTERNAL)]
    pub async fn complete_external_activity(
        self: Arc<Self>,
        _ctx: ActivityContext,
        completion: Completion,
    ) -> Result<(), ActivityError> {
        if completion.callback_token.is_empty() {
            return Ok(());
        }
        let waiting = self.waiting(&completion.callback_token)?;
        let told = match completion.error {
            None => {
                let answer = completion.result.unwrap_or_default();
                waiting.complete(Some(answer), options()).await
            }
            Some(cause) => {
                // What the agent did is done; calling it again is not the server's choice.
                let failure = ApplicationFailure::non_retryable(cause);
                waiting.fail(failure, None::<String>, options()).await
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

    /// Returns once nobody waits any more for the activity behind a callback token.
    #[activity(name = activity::ATTEND_EXTERNAL)]
    pub async fn attend_external_activity(
        self: Arc<Self>,
        ctx: ActivityContext,
        callback_token: String,
    ) -> Result<(), ActivityError> {
        let waiting = self.waiting(&callback_token)?;
        let mut ticks = interval(ATTEND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // The execution has ended; or this worker has, and the next one goes on.
                () = ctx.cancelled() => return Err(ActivityError::cancelled()),
                _ = ticks.tick() => {}
            }
            // Without details there is nothing that fails to convert.
            let _ = ctx.record_heartbeat(()).await;
            match waiting.heartbeat(None::<String>, options()).await {
                Ok(answer) if !answer.cancel_requested => {}
                Ok(_) | Err(AsyncActivityError::NotFound(_)) => break,
                Err(error) => {
                    tracing::warn!(%error, "cannot tell whether anybody waits for an agent")
                }
            }
        }
        // Most often nobody waits because the execution has ended: then this is not wanted either.
        match timeout(HEARTBEAT * 2, ctx.cancelled()).await {
            Ok(()) => Err(ActivityError::cancelled()),
            Err(_) => Ok(()),
        }
    }
}

impl CallbackActivities {
    fn waiting(&self, callback_token: &str) -> Result<AsyncActivityHandle<Client>, ActivityError> {
        let token = BASE64_STANDARD.decode(callback_token).map_err(|error| {
            ActivityError::application(ApplicationFailure::non_retryable(error))
        })?;
        let identifier = ActivityIdentifier::from_task_token(token.into());
        Ok(self.client.get_async_activity_handle(identifier))
    }
}

fn options() -> RpcOptions {
    RpcOptions::builder().timeout(REQUEST).build()
}

#[cfg(test)]
mod tests {
    use stigmer_api::{
        Resource as _,
        agent_execution::{AgentExecutionStatus, AgentMessage},
    };

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
        assert_eq!(Outcome::of(done), Outcome::Answered("second".to_owned()));
    }

    #[test]
    fn a_failure_tells_its_cause() {
        let failed = execution(
            Phase::Failed,
            "the model is gone",
            &[(MessageType::MessageAi, "half")],
        );
        assert_eq!(
            Outcome::of(failed),
            Outcome::Failed("the model is gone".to_owned())
        );
    }

    #[test]
    fn a_completion_has_the_names_of_the_contract() {
        let completion =
            Completion::new(callback_token(b"token"), Outcome::Failed("why".to_owned()));
        let json = serde_json::to_value(&completion).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"CallbackToken": "dG9rZW4=", "Result": null, "Error": "why"})
        );
    }
}
