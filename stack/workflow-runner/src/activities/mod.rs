//! What the runner does for Temporal, queue by queue.
//!
//! - `execute` runs an execution from its record to its end (`workflow_execution_runner`).
//! - `tasks` are the calls of tasks (`zigflow_execution`): `http`, `grpc`, `agent`, and what the
//!   interpreting workflow needs besides: `progress`, and the document of another workflow.
//! - `validate` checks specs (`workflow_validation_runner`).

mod agent;
mod attend;
#[expect(
    dead_code,
    reason = "handles made by the macro for callers that are elsewhere"
)]
mod execute;
mod failure;
mod grpc;
mod http;
mod progress;
mod tasks;
#[expect(
    dead_code,
    reason = "handles made by the macro for callers that are elsewhere"
)]
mod validate;

pub use attend::HEARTBEAT;
pub use execute::ExecuteActivities;
pub use progress::ProgressActivities;
pub use tasks::{LoadWorkflow, LoadedWorkflow, TaskActivities};
pub use validate::ValidateActivities;
