//! Doing something while Temporal is told that it is being done, and listening whether it is still
//! wanted.

use std::time::Duration;

use stigmer_runner::heartbeats;
use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio_util::sync::CancellationToken;

/// Between two signs of life. Each is answered with whether the activity was cancelled.
pub const HEARTBEAT: Duration = Duration::from_secs(2);

/// Does `work`, unless the activity is cancelled or the process is `stopping`; then another process
/// may take it up.
pub(super) async fn while_wanted<T>(
    ctx: &ActivityContext,
    stopping: &CancellationToken,
    work: impl Future<Output = Result<T, ActivityError>>,
) -> Result<T, ActivityError> {
    tokio::select! {
        // Stopping cancels the activity too; it is the better reason.
        biased;
        () = stopping.cancelled() => Err(retryable("the workflow-runner is stopping")),
        () = ctx.cancelled() => Err(ActivityError::cancelled()),
        result = work => result,
        () = heartbeats(ctx, HEARTBEAT) => unreachable!("heartbeats do not end"),
    }
}

/// A failure after which Temporal may run the activity again.
pub(super) fn retryable(message: &str) -> ActivityError {
    ActivityError::application(ApplicationFailure::new(message.to_owned()))
}
