//! GRPC_CALL, CALL_ACTIVITY and RUN: calls by name with one object as argument.

use serde_json::Value;
use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::draft::Draft;

/// Calls a method of a gRPC service. Its output is the answer as JSON.
#[derive(Clone, Debug)]
pub struct GrpcCall(Draft);

/// Runs a Temporal activity. Its output is the activity's result.
#[derive(Clone, Debug)]
pub struct CallActivity(Draft);

/// Runs another workflow. Its output is that workflow's output.
#[derive(Clone, Debug)]
pub struct Run(Draft);

becomes_task!(GrpcCall, CallActivity, Run);

impl GrpcCall {
    /// A call of `method` of `service`, which is `[host[:port]/]package.Service`.
    pub fn new(
        name: impl Into<String>,
        service: impl Into<String>,
        method: impl Into<String>,
    ) -> Self {
        let draft = Draft::new(name, WorkflowTaskKind::GrpcCall)
            .with("service", service.into())
            .with("method", method.into());
        Self(draft)
    }

    /// Sends a message, as JSON object.
    #[must_use]
    pub fn request(self, request: Value) -> Self {
        Self(self.0.with("request", request))
    }
}

impl CallActivity {
    /// A run of `activity`, which is `name` or `name@task-queue`.
    pub fn new(name: impl Into<String>, activity: impl Into<String>) -> Self {
        let draft = Draft::new(name, WorkflowTaskKind::CallActivity);
        Self(draft.with("activity", activity.into()))
    }

    /// Gives the activity a JSON object.
    #[must_use]
    pub fn input(self, input: Value) -> Self {
        Self(self.0.with("input", input))
    }
}

impl Run {
    /// A run of the workflow of that name in the same organization.
    pub fn new(name: impl Into<String>, workflow: impl Into<String>) -> Self {
        let draft = Draft::new(name, WorkflowTaskKind::Run);
        Self(draft.with("workflow", workflow.into()))
    }

    /// Gives the workflow a JSON object.
    #[must_use]
    pub fn input(self, input: Value) -> Self {
        Self(self.0.with("input", input))
    }
}
