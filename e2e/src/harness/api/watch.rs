//! A subscription, read snapshot by snapshot with times.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_api::{Resource, json::to_json};
use tonic::Streaming;

use super::{Answer, CallError, call::millis};
use crate::harness::{Journal, budget::Budget, wait::WaitError};

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
    pub(super) fn new(
        method: String,
        start: Instant,
        stream: Streaming<R>,
        journal: Journal,
    ) -> Self {
        Self {
            method,
            start,
            stream,
            journal,
        }
    }

    /// The next snapshot; `None` when the server ended the stream with OK.
    pub async fn next(&mut self) -> Answer<Option<Snapshot<R>>> {
        match self.stream.message().await {
            Ok(Some(resource)) => {
                self.journal.write(json!({
                    "method": self.method, "ms": millis(self.start), "message": to_json(&resource),
                }));
                Ok(Some(Snapshot {
                    at: self.start.elapsed(),
                    resource,
                }))
            }
            Ok(None) => {
                self.journal.write(
                    json!({"method": self.method, "ms": millis(self.start), "status": "Ok"}),
                );
                Ok(None)
            }
            Err(status) => {
                self.journal.write(json!({
                    "method": self.method, "ms": millis(self.start),
                    "status": format!("{:?}", status.code()), "message": status.message(),
                }));
                Err(CallError {
                    method: self.method.clone(),
                    status,
                })
            }
        }
    }

    /// Every snapshot until the server ends the stream with OK.
    ///
    /// # Errors
    ///
    /// When the stream ends otherwise, or not within `budget`; the text has every different status.
    pub async fn until_closed(mut self, budget: Budget) -> Result<Vec<Snapshot<R>>, WaitError> {
        let mut snapshots = Vec::new();
        let mut error = WaitError::new(format!("{} has ended", self.method));
        let deadline = self.start + budget.limit;
        loop {
            let next = tokio::time::timeout_at(deadline.into(), self.next()).await;
            error.waited = self.start.elapsed();
            match next {
                Ok(Ok(Some(snapshot))) => {
                    error.note(summary(&snapshot.resource));
                    snapshots.push(snapshot);
                }
                Ok(Ok(None)) => return Ok(snapshots),
                Ok(Err(status)) => {
                    error.hopeless = Some(status.to_string());
                    return Err(error);
                }
                Err(_) => return Err(error),
            }
        }
    }
}

/// The phase of an execution and how much of it there is, in one line.
fn summary<R: Resource>(resource: &R) -> String {
    let status = &to_json(resource)["status"];
    let phase = status["phase"].as_str().unwrap_or("no phase");
    let messages = status["messages"].as_array().map_or(0, Vec::len);
    let error = status["error"]
        .as_str()
        .map(|error| format!(", error {error:?}"));
    format!("{phase}, {messages} messages{}", error.unwrap_or_default())
}
