//! Signs of life of an activity.

use std::time::Duration;

use temporalio_sdk::activities::ActivityContext;
use tokio::time::{MissedTickBehavior, interval};

/// Tells Temporal that the activity is alive, now and every `period`, until dropped. Each sign is
/// answered with whether the activity was cancelled.
pub async fn heartbeats(ctx: &ActivityContext, period: Duration) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Without details there is nothing that fails to convert.
        if let Err(error) = ctx.record_heartbeat(()).await {
            tracing::warn!(%error, "heartbeat not recorded");
        }
    }
}
