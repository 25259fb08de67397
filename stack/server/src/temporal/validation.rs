//! The workflow that has a spec validated.

use std::time::Duration;

use stigmer_api::temporal_names::{self, MEMO_ACTIVITY_TASK_QUEUE, WORKFLOW_VALIDATION_RUNNER};
use temporalio_common::{data_converters::RawValue, error::ApplicationFailure};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowResult};

use super::{
    calls::{self, ValidateSpec},
    failure,
};

/// When Temporal ends the workflow: after all that it may wait for itself.
pub const RUN_TIMEOUT: Duration = Duration::from_secs(calls::LONGEST_VALIDATION.as_secs() + 5);

/// The type of the failure when nobody validates.
pub const NO_WORKER: &str = "NoWorker";

/// `ValidateWorkflow`: the spec goes to the runner, and its validation comes back.
#[workflow]
#[derive(Default)]
pub struct ValidateWorkflow;

#[workflow_methods]
impl ValidateWorkflow {
    /// Validates one spec.
    #[run(name = temporal_names::workflow::VALIDATE_WORKFLOW)]
    pub async fn run(ctx: &mut WorkflowContext<Self>, spec: RawValue) -> WorkflowResult<RawValue> {
        let task_queue = match ctx.memo().get::<String>(MEMO_ACTIVITY_TASK_QUEUE)? {
            Some(queue) => queue,
            None => WORKFLOW_VALIDATION_RUNNER.default.to_owned(),
        };
        let options = ValidateSpec::options(&task_queue);
        match ctx.execute_activity(ValidateSpec, spec, options).await {
            Ok(validation) => Ok(validation),
            Err(error) => {
                let cause = failure::describe(&ValidateSpec::callee(&task_queue), &error);
                let failed = ApplicationFailure::builder(cause).non_retryable(true);
                Err(match failure::is_without_worker(&error) {
                    true => failed.type_name(NO_WORKER.to_owned()).build().into(),
                    false => failed.build().into(),
                })
            }
        }
    }
}
