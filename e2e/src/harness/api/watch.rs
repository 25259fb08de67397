//! A subscription, read snapshot by snapshot with times.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_api::{Resource, json::to_json};
use tonic::Streaming;

use super::{Answer, CallError, Journal, millis};
use crate::harness::{Broken, budget::Budget};

/// One message of the stream.
#[derive(Clone, Debug)]
pub struct Snapshot<R> {
    /// Since the subscription was asked for.
    pub at: Duration,
    /// The resource at that time.
    pub resource: R,
}

/// An open subscription.
#[derive(Debug)]
pub struct Watch<R> {
    method: String,
    start: Instant,
    stream: Streaming<R>,
    journal: Journal,
}

impl<R: Resource> Watch<R> {
    pub(super) fn new(method: String, start: Instant, stream: Streaming<R>, journal: Journal) -> Self {
        Self { method, start, stream, journal }
    }

    /// The next snapshot; `None` when the server ended the stream with OK.
    pub async fn next(&mut self) -> Answer<Option<Snapshot<R>>> {
        match self.stream.message().await {
            Ok(Some(resource)) => {
                self.journal.write(json!({
                    "method": self.method, "ms": millis(self.start), "message": to_json(&resource),
                }));
                Ok(Some(Snapshot { at: self.start.elapsed(), resource }))
            }
            Ok(None) => {
                self.journal.write(json!({"method": self.method, "ms": millis(self.start), "status": "Ok"}));
                Ok(None)
            }
            Err(status) => {
                self.journal.write(json!({
                    "method": self.method, "ms": millis(self.start),
                    "status": format!("{:?}", status.code()), "message": status.message(),
                }));
                Err(CallError { method: self.method.clone(), status })
            }
        }
    }

    /// Every snapshot until the server ends the stream with OK.
    ///
    /// # Errors
    ///
    /// When the stream ends otherwise, or not within `budget`; the text names the last snapshot.
    pub async fn until_closed(mut self, budget: Budget) -> Result<Vec<Snapshot<R>>, Broken> {
        let mut snapshots = Vec::new();
        let deadline = self.start + budget.limit;
        loop {
            match tokio::time::timeout_at(deadline.into(), self.next()).await {
                Ok(Ok(Some(snapshot))) => snapshots.push(snapshot),
                Ok(Ok(None)) => return Ok(snapshots),
                Ok(Err(error)) => {
                    return Err(Broken(format!("the stream ended with an error after {} messages: {error}", snapshots.len())));
                }
                Err(_) => {
                    let last = snapshots.last().map(|s: &Snapshot<R>| to_json(&s.resource)["status"].to_string());
                    return Err(Broken(format!(
                        "the stream was still open after {:?} ({}) and {} messages; last status: {}",
                        budget.limit,
                        budget.name,
                        snapshots.len(),
                        last.as_deref().unwrap_or("none"),
                    )));
                }
            }
        }
    }
}
