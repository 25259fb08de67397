//! Names that parts of the stack meet under in Temporal (`docs/contract/runners.md`, section 1).

/// A task queue: its default name and the variable that overrides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskQueue {
    /// The name used when nothing overrides it.
    pub default: &'static str,
    /// The environment variable that overrides it; empty counts as unset.
    pub variable: &'static str,
}

impl TaskQueue {
    /// The name in force in this process.
    pub fn name(&self) -> String {
        std::env::var(self.variable)
            .ok()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.default.to_owned())
    }
}

/// Server-side workflow of agent executions.
pub const AGENT_EXECUTION_STIGMER: TaskQueue = TaskQueue {
    default: "agent_execution_stigmer",
    variable: "TEMPORAL_AGENT_EXECUTION_STIGMER_TASK_QUEUE",
};
/// Activities of the agent-runner.
pub const AGENT_EXECUTION_RUNNER: TaskQueue = TaskQueue {
    default: "agent_execution_runner",
    variable: "TEMPORAL_AGENT_EXECUTION_RUNNER_TASK_QUEUE",
};
/// Server-side workflow of workflow executions.
pub const WORKFLOW_EXECUTION_STIGMER: TaskQueue = TaskQueue {
    default: "workflow_execution_stigmer",
    variable: "TEMPORAL_WORKFLOW_EXECUTION_STIGMER_TASK_QUEUE",
};
/// Activities of the workflow-runner.
pub const WORKFLOW_EXECUTION_RUNNER: TaskQueue = TaskQueue {
    default: "workflow_execution_runner",
    variable: "TEMPORAL_WORKFLOW_EXECUTION_RUNNER_TASK_QUEUE",
};
/// Server-side workflow of validations.
pub const WORKFLOW_VALIDATION_STIGMER: TaskQueue = TaskQueue {
    default: "workflow_validation_stigmer",
    variable: "TEMPORAL_WORKFLOW_VALIDATION_STIGMER_TASK_QUEUE",
};
/// Validation activity of the workflow-runner.
pub const WORKFLOW_VALIDATION_RUNNER: TaskQueue = TaskQueue {
    default: "workflow_validation_runner",
    variable: "TEMPORAL_WORKFLOW_VALIDATION_RUNNER_TASK_QUEUE",
};
/// Interpreter workflow and task activities of the workflow-runner.
pub const ZIGFLOW_EXECUTION: TaskQueue = TaskQueue {
    default: "zigflow_execution",
    variable: "TEMPORAL_ZIGFLOW_EXECUTION_TASK_QUEUE",
};

/// Workflow types.
pub mod workflow {
    /// Runs one agent execution.
    pub const AGENT_EXECUTION: &str = "stigmer/agent-execution/invoke";
    /// Runs one workflow execution.
    pub const WORKFLOW_EXECUTION: &str = "stigmer/workflow-execution/invoke";
    /// Validates one workflow spec.
    pub const VALIDATE_WORKFLOW: &str = "ValidateWorkflow";
    /// Interprets the tasks of one workflow execution.
    pub const SERVERLESS_WORKFLOW: &str = "ExecuteServerlessWorkflow";
    /// Answers once a worker picked it up, and once the runner named in its memo did.
    pub const PING: &str = "stigmer/system/ping";
}

/// Activity types.
pub mod activity {
    /// Names the thread of a session: `(session id, agent id) -> thread id`.
    pub const ENSURE_THREAD: &str = "EnsureThread";
    /// Runs an agent: `(AgentExecution, thread id) -> AgentExecutionStatus`.
    pub const EXECUTE_AGENT: &str = "ExecuteGraphton";
    /// Removes what an execution left on the runner.
    pub const CLEANUP_SANDBOX: &str = "CleanupSandbox";
    /// Writes a status from the server's own workflow.
    pub const UPDATE_EXECUTION_STATUS: &str = "UpdateExecutionStatus";
    /// Completes the activity behind a callback token.
    pub const COMPLETE_EXTERNAL: &str = "stigmer/system/complete-external-activity";
    /// Returns once nobody waits any more for the activity behind a callback token.
    pub const ATTEND_EXTERNAL: &str = "stigmer/system/attend-external-activity";
    /// Runs a workflow execution: `WorkflowExecution -> WorkflowExecutionStatus`.
    pub const EXECUTE_WORKFLOW: &str = "ExecuteWorkflow";
    /// Validates a spec: `WorkflowSpec -> ServerlessWorkflowValidation`.
    pub const VALIDATE_WORKFLOW: &str = "validateWorkflow";
    /// Sends an HTTP request: `(task config, input, environment) -> any`.
    pub const CALL_HTTP: &str = "CallHTTPActivity";
    /// Calls a gRPC method: `(task config, input, environment) -> any`.
    pub const CALL_GRPC: &str = "CallGRPCActivity";
    /// Has an agent answer: `(task config, input, environment) -> answer`, completed by the server.
    pub const CALL_AGENT: &str = "CallAgentActivity";
    /// Answers at once, to prove that a worker does work.
    pub const PING: &str = "stigmer/system/ping";
}

/// Memo key under which a server workflow finds its runner's queue.
pub const MEMO_ACTIVITY_TASK_QUEUE: &str = "activityTaskQueue";

/// The Temporal workflow id under which the workflow-runner interprets an execution.
pub fn serverless_workflow_id(execution_id: &str) -> String {
    format!("workflow-exec-{execution_id}")
}

/// The Temporal workflow id of an agent execution.
pub fn agent_execution_workflow_id(execution_id: &str) -> String {
    format!("{}/{execution_id}", workflow::AGENT_EXECUTION)
}

/// The Temporal workflow id of a workflow execution.
pub fn workflow_execution_workflow_id(execution_id: &str) -> String {
    format!("{}/{execution_id}", workflow::WORKFLOW_EXECUTION)
}
