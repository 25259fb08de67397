//! Executions: how they are created and watched, and what all kinds of them have in common.

use std::time::Duration;

use prost::Message;
use stigmer_api::{
    ApiResourceId, Resource,
    agent_execution::{
        AgentExecution, AgentExecutionList, AgentExecutionStatus, AgentExecutionUpdateStatusInput,
        ListAgentExecutionsRequest, MessageType,
    },
    workflow_execution::{
        ListWorkflowExecutionsRequest, SubscribeWorkflowExecutionRequest, WorkflowExecution,
        WorkflowExecutionList, WorkflowExecutionStatus, WorkflowExecutionUpdateStatusInput,
        WorkflowTaskStatus,
    },
};
use tonic::Streaming;

use super::{
    Api, ApiError,
    page::{Page, read_all},
    path,
    snapshot::{Entry, Phase, Snapshot, Speaker, TaskState},
};

const CREATE_LIMIT: Duration = Duration::from_secs(30);
const READ_LIMIT: Duration = Duration::from_secs(10);

/// A kind of execution.
pub trait Execution: Resource {
    /// What people call it in a sentence: `agent`.
    const OF: &'static str;
    /// Whether its entries are tasks; else they are messages.
    const HAS_TASKS: bool;

    /// What `list` takes.
    type ListRequest: Message + 'static;
    /// What `list` answers.
    type List: Message + Default + 'static;
    /// What `updateStatus` takes.
    type StatusInput: Message + 'static;
    /// What `subscribe` takes.
    type Subscription: Message + 'static;

    /// What it shows.
    fn snapshot(&self) -> Snapshot;
    /// The id of the agent or workflow that it runs, or of the session or instance that knows.
    fn target(&self) -> &str;
    /// Asks for the page after `token`.
    fn list_request(phase: Phase, token: String, size: i32) -> Self::ListRequest;
    /// The rows of a list.
    fn rows_of(list: Self::List) -> Vec<Self>;
    /// Reports `phase` and nothing else.
    fn phase_report(id: String, phase: Phase) -> Self::StatusInput;
    /// Subscribes to `id`.
    fn subscription(id: String) -> Self::Subscription;

    /// Creates and so starts it.
    async fn create(self, api: &Api) -> Result<Self, ApiError> {
        api.unary(path::command::<Self>("create"), self, CREATE_LIMIT)
            .await
    }

    /// Its state now and after every change, until it ends.
    async fn subscribe(api: &Api, id: &str) -> Result<Streaming<Self>, ApiError> {
        let request = Self::subscription(id.to_owned());
        api.stream(path::query::<Self>("subscribe"), request, READ_LIMIT)
            .await
    }

    /// Every execution of the kind in `phase`, oldest first; unspecified means any.
    async fn list(api: &Api, phase: Phase) -> Result<Vec<Self>, ApiError> {
        read_all(async |rows: &[Self], size| {
            let after = rows.last().map_or("", Self::id).to_owned();
            let request = Self::list_request(phase, after, size);
            let path = path::query::<Self>("list");
            let entries = Self::rows_of(api.unary(path, request, READ_LIMIT).await?);
            Ok(Page {
                more: entries.len() >= usize::try_from(size).unwrap_or(usize::MAX),
                entries,
            })
        })
        .await
    }

    /// Ends it: the server stores that it is cancelled and stops what works on it.
    async fn cancel(api: &Api, id: &str) -> Result<Self, ApiError> {
        let request = Self::phase_report(id.to_owned(), Phase::Cancelled);
        api.unary(path::command::<Self>("updateStatus"), request, CREATE_LIMIT)
            .await
    }
}

/// The first that is not empty.
fn either<'a>(first: &'a str, second: &'a str) -> &'a str {
    match first {
        "" => second,
        first => first,
    }
}

impl Execution for AgentExecution {
    const OF: &'static str = "agent";
    const HAS_TASKS: bool = false;

    type ListRequest = ListAgentExecutionsRequest;
    type List = AgentExecutionList;
    type StatusInput = AgentExecutionUpdateStatusInput;
    type Subscription = ApiResourceId;

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

    fn target(&self) -> &str {
        let spec = self.spec.as_ref();
        spec.map_or("", |spec| either(&spec.agent_id, &spec.session_id))
    }

    fn list_request(phase: Phase, token: String, size: i32) -> ListAgentExecutionsRequest {
        ListAgentExecutionsRequest {
            page_size: size,
            page_token: token,
            phase: phase.into(),
            tags: Vec::new(),
        }
    }

    fn rows_of(list: AgentExecutionList) -> Vec<Self> {
        list.entries
    }

    fn phase_report(id: String, phase: Phase) -> AgentExecutionUpdateStatusInput {
        AgentExecutionUpdateStatusInput {
            execution_id: id,
            status: Some(AgentExecutionStatus {
                phase: phase.into(),
                ..Default::default()
            }),
        }
    }

    fn subscription(id: String) -> ApiResourceId {
        ApiResourceId { value: id }
    }
}

impl Execution for WorkflowExecution {
    const OF: &'static str = "workflow";
    const HAS_TASKS: bool = true;

    type ListRequest = ListWorkflowExecutionsRequest;
    type List = WorkflowExecutionList;
    type StatusInput = WorkflowExecutionUpdateStatusInput;
    type Subscription = SubscribeWorkflowExecutionRequest;

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
                name: either(&task.task_name, &task.task_id).to_owned(),
                id: task.task_id,
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

    fn target(&self) -> &str {
        let spec = self.spec.as_ref();
        spec.map_or("", |spec| {
            either(&spec.workflow_id, &spec.workflow_instance_id)
        })
    }

    fn list_request(phase: Phase, token: String, size: i32) -> ListWorkflowExecutionsRequest {
        ListWorkflowExecutionsRequest {
            page_size: size,
            page_token: token,
            phase: phase.into(),
            tags: Vec::new(),
        }
    }

    fn rows_of(list: WorkflowExecutionList) -> Vec<Self> {
        list.entries
    }

    fn phase_report(id: String, phase: Phase) -> WorkflowExecutionUpdateStatusInput {
        WorkflowExecutionUpdateStatusInput {
            execution_id: id,
            status: Some(WorkflowExecutionStatus {
                phase: phase.into(),
                ..Default::default()
            }),
        }
    }

    fn subscription(id: String) -> SubscribeWorkflowExecutionRequest {
        SubscribeWorkflowExecutionRequest { execution_id: id }
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::{
        agent_execution::{AgentExecutionSpec, AgentMessage, ToolCall},
        workflow_execution::WorkflowTask,
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
            task_id: "fetch#2".into(),
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
                id: "fetch#2".into(),
                name: "fetch".into(),
                state: TaskState::Failed,
                error: "404".into()
            }]
        );
    }

    #[test]
    fn what_runs_is_known_by_its_agent_or_else_its_session() {
        let of = |agent: &str| AgentExecution {
            spec: Some(AgentExecutionSpec {
                agent_id: agent.into(),
                session_id: "ses-1".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!((of("agt-1").target(), of("").target()), ("agt-1", "ses-1"));
    }
}
