//! Another workflow, which is a child of this one.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use stigmer_api::{limits::WORKFLOW_EXECUTION, temporal_names::workflow::SERVERLESS_WORKFLOW};
use stigmer_temporal::Arguments;
use temporalio_common::{UntypedWorkflow, data_converters::RawValue};
use temporalio_sdk::{ChildWorkflowOptions, ParentClosePolicy, WorkflowTermination};

use super::TemporalEffects;
use crate::{
    activities::{LoadWorkflow, LoadedWorkflow, TaskActivities},
    engine::{
        interpret::{Effect, Fault, Request, kind},
        model::RunWorkflow,
    },
    temporal::{Metadata, WorkflowInput, WorkflowOutput, failure, read_payload},
};

/// Workflows that may run each other. One that runs itself ends here.
const MAX_DEPTH: u32 = 10;

impl TemporalEffects {
    pub(super) async fn workflow(
        &self,
        run: &RunWorkflow,
        request: &Request,
    ) -> Effect<Json, WorkflowTermination> {
        if self.depth >= MAX_DEPTH {
            let message =
                format!("{MAX_DEPTH} workflows run each other already; does one run itself?");
            return Err(Fault::new(kind::LIMIT, message).into());
        }
        let what = format!("workflow '{}'", run.name);
        let mut load = self.options(request, Duration::from_secs(30), 5);
        load.activity_id = None;
        let wanted = LoadWorkflow {
            name: run.name.clone(),
            org: self.environment.org.clone(),
        };
        let loaded = self
            .ctx
            .execute_activity(TaskActivities::load_workflow, wanted, load)
            .await;
        let LoadedWorkflow { yaml } = loaded.map_err(|error| failure::of_activity(error, &what))?;
        let initial_data = match &run.input {
            None => Map::new(),
            Some(Json::Object(input)) => input.clone(),
            Some(other) => Map::from_iter([("value".to_owned(), other.clone())]),
        };
        let input = WorkflowInput {
            workflow_execution_id: String::new(),
            workflow_yaml: yaml,
            metadata: Some(Metadata {
                depth: self.depth + 1,
                secret_marker: self.environment.marker.clone(),
            }),
            initial_data,
            env_vars: self.environment.entries.clone(),
            org_id: self.environment.org.clone(),
        };
        let limit = request.timeout.unwrap_or(WORKFLOW_EXECUTION);
        let close = if run.wait {
            ParentClosePolicy::default()
        } else {
            ParentClosePolicy::Abandon
        };
        let options = ChildWorkflowOptions::builder()
            .workflow_id(format!("{}/{}", self.ctx.workflow_id(), request.task_id))
            .execution_timeout(limit)
            .parent_close_policy(close)
            .cancellation_token(self.token.clone())
            .static_summary(request.task.clone())
            .build();
        let arguments = Arguments::none()
            .with(&input)
            .map_err(|e| Fault::new(kind::VALIDATION, e.to_string()))?;
        let started = self
            .ctx
            .start_child_workflow(
                UntypedWorkflow::new(SERVERLESS_WORKFLOW),
                arguments,
                options,
            )
            .await;
        let started = started.map_err(|error| match error.as_cancelled() {
            Some(_) => failure::cancelled(),
            None => Fault::new(kind::VALIDATION, format!("{what} did not start: {error}")).into(),
        })?;
        if !run.wait {
            return Ok(Json::Null);
        }
        let result: RawValue = started
            .result()
            .await
            .map_err(|error| failure::of_child(&error, &what))?;
        let output: WorkflowOutput =
            read_payload(self.ctx.payload_converter(), result).map_err(|e| {
                Fault::new(
                    kind::VALIDATION,
                    format!("{what} gave a result that cannot be read: {e}"),
                )
            })?;
        Ok(output.result)
    }
}
