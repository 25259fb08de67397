//! Validation of specs.

use stigmer_api::{
    temporal_names::activity,
    workflow::{
        WorkflowSpec,
        serverless::{ServerlessWorkflowValidation, ValidationState},
    },
};
use stigmer_temporal::Proto;
use temporalio_common::data_converters::{PayloadConverter, RawValue};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use crate::{
    engine::validate,
    temporal::{json_of, read_payload},
};

/// The activity of the validation queue.
pub struct ValidateActivities;

#[activities]
impl ValidateActivities {
    /// Says whether a spec can run, and why not.
    #[activity(name = activity::VALIDATE_WORKFLOW)]
    pub async fn validate(
        ctx: ActivityContext,
        spec: RawValue,
    ) -> Result<Proto<ServerlessWorkflowValidation>, ActivityError> {
        let absent = json_of(&spec.payloads).is_ok_and(|json| json.is_null());
        let spec = match absent {
            true => None,
            false => {
                Some(read_payload::<Proto<WorkflowSpec>>(&PayloadConverter::default(), spec)?.0)
            }
        };
        // Checking expressions is work for the processor.
        let checked = tokio::task::spawn_blocking(move || validate::validation(spec.as_ref()));
        let validation = ServerlessWorkflowValidation {
            validation_workflow_id: ctx.info().workflow_id.clone().unwrap_or_default(),
            ..checked.await?
        };
        let valid = validation.state() == ValidationState::Valid;
        tracing::info!(
            valid,
            first_error = validation.errors.first().map(String::as_str),
            "workflow validated"
        );
        Ok(Proto(validation))
    }
}
