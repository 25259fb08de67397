//! Executions: how they are created and watched, and what all kinds of them have in common.

use std::time::Duration;

use serde::Serialize;
use stigmer_api::{
    MAX_MESSAGE_BYTES, Resource,
    agent_execution::{
        AgentExecution, AgentExecutionId, MessageType,
        agent_execution_command_controller_client::AgentExecutionCommandControllerClient,
        agent_execution_query_controller_client::AgentExecutionQueryControllerClient,
    },
    workflow_execution::{
        SubscribeWorkflowExecutionRequest, WorkflowExecution, WorkflowTaskStatus,
        workflow_execution_command_controller_client::WorkflowExecutionCommandControllerClient,
        workflow_execution_query_controller_client::WorkflowExecutionQueryControllerClient,
    },
};
use tonic::{Response, Status, Streaming, transport::Channel};

use super::{Api, ApiError};

const CREATE_LIMIT: Duration = Duration::from_secs(30);
/// For the stream to be set up, not for the execution.
const SUBSCRIBE_LIMIT: Duration = Duration::from_secs(10);

/// How far an execution is. Both kinds use the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    Unspecified,
    Pending,
    InProgress,
    Completed,
    Failed,
    Cancelled,
}

impl Phase {
    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl From<i32> for Phase {
    fn from(number: i32) -> Self {
        match number {
            1 => Self::Pending,
            2 => Self::InProgress,
            3 => Self::Completed,
            4 => Self::Failed,
            5 => Self::Cancelled,
            _ => Self::Unspecified,
        }
    }
}

/// An execution at one moment, whatever its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub phase: Phase,
    pub error: String,
    pub started_at: String,
    pub completed_at: String,
    /// Messages of an agent, or tasks of a workflow.
    pub entries: Vec<Entry>,
    /// How many tools an agent has called.
    pub tool_calls: usize,
}

/// One step that an execution shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Message {
        speaker: Speaker,
        text: String,
    },
    Task {
        name: String,
        state: TaskState,
        error: String,
    },
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Human,
    Agent,
    Tool,
    System,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    Pending,
    Running,
    Completed,
    Failed,
    Skipped,
}

/// A kind of execution.
pub trait Execution: Resource {
    /// What people call it in a sentence: `agent`.
    const OF: &'static str;
    /// The service and method that return one execution, for people who look by themselves.
    const GET: &'static str;

    /// What it shows.
    fn snapshot(&self) -> Snapshot;
    /// Calls `create`.
    async fn call_create(channel: Channel, execution: Self) -> Result<Response<Self>, Status>;
    /// Calls `subscribe`.
    async fn call_subscribe(
        channel: Channel,
        id: String,
    ) -> Result<Response<Streaming<Self>>, Status>;

    /// Creates and so starts it.
    async fn create(self, api: &Api) -> Result<Self, ApiError> {
        api.call(CREATE_LIMIT, Self::call_create(api.channel(), self))
            .await
    }

    /// Its state now and after every change, until it ends.
    async fn subscribe(api: &Api, id: &str) -> Result<Streaming<Self>, ApiError> {
        api.call(
            SUBSCRIBE_LIMIT,
            Self::call_subscribe(api.channel(), id.to_owned()),
        )
        .await
    }
}

impl Execution for AgentExecution {
    const OF: &'static str = "agent";
    const GET: &'static str =
        "ai.stigmer.agentic.agentexecution.v1.AgentExecutionQueryController/get";

    fn snapshot(&self) -> Snapshot {
        let status = self.status.clone().unwrap_or_default();
        let entries = status
            .messages
            .into_iter()
            .map(|message| Entry::Message {
                speaker: match message.r#type() {
                    MessageType::MessageHuman => Speaker::Human,
                    MessageType::MessageAi => Speaker::Agent,
                    MessageType::MessageTool => Speaker::Tool,
                    MessageType::MessageSystem | MessageType::Unspecified => Speaker::System,
                },
                text: message.content,
            })
            .collect();
        Snapshot {
            phase: Phase::from(status.phase),
            error: status.error,
            started_at: status.started_at,
            completed_at: status.completed_at,
            entries,
            tool_calls: status.tool_calls.len(),
        }
    }

    async fn call_create(channel: Channel, execution: Self) -> Result<Response<Self>, Status> {
        AgentExecutionCommandControllerClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .create(execution)
            .await
    }

    async fn call_subscribe(
        channel: Channel,
        id: String,
    ) -> Result<Response<Streaming<Self>>, Status> {
        AgentExecutionQueryControllerClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .subscribe(AgentExecutionId { value: id })
            .await
    }
}

impl Execution for WorkflowExecution {
    const OF: &'static str = "workflow";
    const GET: &'static str =
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowExecutionQueryController/get";

    fn snapshot(&self) -> Snapshot {
        let status = self.status.clone().unwrap_or_default();
        let entries = status
            .tasks
            .into_iter()
            .map(|task| Entry::Task {
                state: match task.status() {
                    WorkflowTaskStatus::WorkflowTaskInProgress => TaskState::Running,
                    WorkflowTaskStatus::WorkflowTaskCompleted => TaskState::Completed,
                    WorkflowTaskStatus::WorkflowTaskFailed => TaskState::Failed,
                    WorkflowTaskStatus::WorkflowTaskSkipped => TaskState::Skipped,
                    WorkflowTaskStatus::WorkflowTaskPending | WorkflowTaskStatus::Unspecified => {
                        TaskState::Pending
                    }
                },
                name: if task.task_name.is_empty() {
                    task.task_id
                } else {
                    task.task_name
                },
                error: task.error,
            })
            .collect();
        Snapshot {
            phase: Phase::from(status.phase),
            error: status.error,
            started_at: status.started_at,
            completed_at: status.completed_at,
            entries,
            tool_calls: 0,
        }
    }

    async fn call_create(channel: Channel, execution: Self) -> Result<Response<Self>, Status> {
        WorkflowExecutionCommandControllerClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .create(execution)
            .await
    }

    async fn call_subscribe(
        channel: Channel,
        id: String,
    ) -> Result<Response<Streaming<Self>>, Status> {
        WorkflowExecutionQueryControllerClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .subscribe(SubscribeWorkflowExecutionRequest { execution_id: id })
            .await
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::{
        agent_execution::{AgentExecutionStatus, AgentMessage, ToolCall},
        workflow_execution::{WorkflowExecutionStatus, WorkflowTask},
    };

    use super::*;

    #[test]
    fn an_agent_execution_shows_its_messages() {
        let message = |kind: MessageType, text: &str| AgentMessage {
            r#type: kind.into(),
            content: text.into(),
            ..Default::default()
        };
        let execution = AgentExecution {
            status: Some(AgentExecutionStatus {
                phase: 4,
                error: "gone".into(),
                messages: vec![
                    message(MessageType::MessageHuman, "hi"),
                    message(MessageType::MessageAi, "ho"),
                ],
                tool_calls: vec![ToolCall::default()],
                ..Default::default()
            }),
            ..Default::default()
        };
        let snapshot = execution.snapshot();
        assert_eq!(
            (snapshot.phase, snapshot.error.as_str(), snapshot.tool_calls),
            (Phase::Failed, "gone", 1)
        );
        assert_eq!(
            snapshot.entries[1],
            Entry::Message {
                speaker: Speaker::Agent,
                text: "ho".into()
            }
        );
    }

    #[test]
    fn a_workflow_execution_shows_its_tasks() {
        let task = WorkflowTask {
            task_name: "fetch".into(),
            status: WorkflowTaskStatus::WorkflowTaskFailed.into(),
            error: "404".into(),
            ..Default::default()
        };
        let status = WorkflowExecutionStatus {
            phase: 2,
            tasks: vec![task],
            ..Default::default()
        };
        let snapshot = WorkflowExecution {
            status: Some(status),
            ..Default::default()
        }
        .snapshot();
        assert_eq!(snapshot.phase, Phase::InProgress);
        assert_eq!(
            snapshot.entries,
            [Entry::Task {
                name: "fetch".into(),
                state: TaskState::Failed,
                error: "404".into()
            }]
        );
    }

    #[test]
    fn only_the_last_three_phases_are_terminal() {
        let terminal = (0..7)
            .map(Phase::from)
            .map(Phase::is_terminal)
            .collect::<Vec<_>>();
        assert_eq!(terminal, [false, false, false, true, true, true, false]);
    }
}
