//! Telling that Temporal went and came back. The workers themselves try again without end.

use std::{convert::Infallible, time::Duration};

use stigmer_temporal::{Client, check_health};
use tokio::time::{Instant, sleep};

/// How often it is looked for.
const PERIOD: Duration = Duration::from_secs(5);

/// Logs one line when Temporal is away, and one when it is back.
pub(crate) async fn watch(client: &Client) -> Infallible {
    let mut away: Option<Instant> = None;
    loop {
        sleep(PERIOD).await;
        away = match (check_health(client).await, away) {
            (Ok(()), Some(since)) => {
                let seconds = since.elapsed().as_secs();
                tracing::info!(seconds, "Temporal is back");
                None
            }
            (Ok(()), None) => None,
            (Err(_), Some(since)) => Some(since),
            (Err(error), None) => {
                tracing::warn!(%error, "lost Temporal; trying again until it is back");
                Some(Instant::now())
            }
        };
    }
}
