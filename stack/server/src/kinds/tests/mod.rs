mod cancelling;
mod listing;
mod validating;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use stigmer_api::{
    ApiResourceMetadata, Resource as _,
    json::from_json,
    workflow::{
        Workflow,
        serverless::{ServerlessWorkflowValidation, ValidationState},
    },
    workflow_execution::{WorkflowExecution, WorkflowExecutionSpec},
};
use tonic::{Code, Status};

use super::*;
use crate::{
    pipeline::StepError,
    state::State,
    testing::{FakeTemporal, TestState},
};

/// A state over a real store and a Temporal that does as told, to begin with: every spec is valid.
struct Bench {
    state: State,
    temporal: Arc<FakeTemporal>,
    test: TestState,
}

impl Bench {
    fn new() -> Self {
        let test = TestState::new();
        let temporal: Arc<FakeTemporal> = Arc::default();
        temporal.validates(Ok(outcome(ValidationState::Valid, &[])));
        test.connection.send_replace(Some(temporal.clone()));
        Self {
            state: test.state.clone(),
            temporal,
            test,
        }
    }

    async fn count<K: Kind>(&self) -> u64 {
        let listing = self.state.list::<K>(Default::default()).await;
        listing.expect("the rows are listed").total
    }

    /// An execution that was accepted, of a workflow made for it.
    async fn pending(&self) -> WorkflowExecution {
        let stored = workflow::apply(&self.state, workflow("fetch", "1"))
            .await
            .expect("the workflow is stored");
        let mut execution = WorkflowExecution::envelope();
        execution.metadata = stored.metadata.clone();
        let metadata = execution.metadata_mut();
        (metadata.id, metadata.slug) = Default::default();
        metadata.name = format!("execution-{}", self.temporal.started().len());
        execution.spec = Some(WorkflowExecutionSpec {
            workflow_id: stored.id().to_owned(),
            ..Default::default()
        });
        execution::create(&self.state, execution)
            .await
            .expect("the execution is accepted")
    }
}

fn workflow(name: &str, seconds: &str) -> Workflow {
    let mut workflow = Workflow::envelope();
    workflow.metadata = Some(ApiResourceMetadata {
        name: name.to_owned(),
        org: "local".to_owned(),
        owner_scope: 2,
        ..Default::default()
    });
    let spec = json!({
        "document": {"dsl": "1.0.0", "namespace": "tests", "name": name, "version": "1.0.0"},
        "tasks": [{
            "name": "pause",
            "kind": "WORKFLOW_TASK_KIND_SET",
            "taskConfig": {"variables": {"seconds": seconds}},
        }],
    });
    workflow.spec = Some(from_json(&spec).expect("a spec in JSON"));
    workflow
}

fn outcome(state: ValidationState, errors: &[&str]) -> ServerlessWorkflowValidation {
    ServerlessWorkflowValidation {
        state: state as i32,
        errors: errors.iter().map(|&error| error.to_owned()).collect(),
        ..Default::default()
    }
}

fn status_of<T: std::fmt::Debug>(result: Result<T, StepError>) -> Status {
    result.expect_err("it is refused").into()
}
