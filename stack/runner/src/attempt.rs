//! Why an attempt at an activity was told to end.

use stigmer_temporal::{AdminError, pending_attempt};
use temporalio_sdk::activities::ActivityContext;

/// Whether Temporal gave this attempt up for a later one, because it was not heard of for too long.
/// The SDK calls that a cancellation as well, but nobody wants the work to end.
///
/// # Errors
///
/// When Temporal does not answer.
pub async fn superseded(ctx: &ActivityContext) -> Result<bool, AdminError> {
    let info = ctx.info();
    let Some(workflow_id) = &info.workflow_id else {
        return Ok(false);
    };
    let pending = pending_attempt(&ctx.client(), workflow_id, &info.activity_id).await?;
    Ok(pending.is_some_and(|attempt| attempt > info.attempt))
}
