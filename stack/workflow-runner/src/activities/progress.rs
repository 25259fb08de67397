//! Reports of the interpreting workflow.

use std::sync::Arc;

use stigmer_api::workflow_execution::WorkflowExecutionUpdateStatusInput;
use temporalio_common::data_converters::ProstSerializable;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use crate::backend::Backend;

/// The local activity that the workflow reports with.
pub struct ProgressActivities {
    /// The server that is told.
    pub backend: Backend,
}

#[activities]
impl ProgressActivities {
    /// Writes the tasks of an execution. A report that is lost is no failure: the next one, or the
    /// end, holds all that it held. The report is binary, being made often and read here only.
    #[activity(name = "stigmer/workflow-execution/report-progress")]
    pub async fn report(
        self: Arc<Self>,
        _ctx: ActivityContext,
        report: ProstSerializable<WorkflowExecutionUpdateStatusInput>,
    ) -> Result<(), ActivityError> {
        let WorkflowExecutionUpdateStatusInput {
            execution_id,
            status,
        } = report.0;
        if let Err(error) = self
            .backend
            .report_once(&execution_id, status.unwrap_or_default())
            .await
        {
            tracing::warn!(execution = execution_id, %error, "progress not reported");
        }
        Ok(())
    }
}
