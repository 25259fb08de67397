//! A subscription, read snapshot by snapshot with times.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stigmer_api::{Resource, json::to_json};
use tonic::{Status, Streaming};

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
    /// How long the whole stream may last.
    whole: Option<Duration>,
    /// What the last message said.
    last: String,
    stream: Streaming<R>,
    journal: Journal,
}

impl<R: Resource> Watch<R> {
    pub(super) fn new(
        method: String,
        start: Instant,
        whole: Option<Duration>,
        stream: Streaming<R>,
        journal: Journal,
    ) -> Self {
        Self {
            method,
            start,
            whole,
            last: "nothing".to_owned(),
            stream,
            journal,
        }
    }

    /// The next snapshot; `None` when the server ended the stream with OK.
    ///
    /// # Errors
    ///
    /// When it ended otherwise, or its deadline is over; the text says what was seen last.
    pub async fn next(&mut self) -> Answer<Option<Snapshot<R>>> {
        match self.message().await {
            Ok(Some(resource)) => {
                self.note(json!({"message": to_json(&resource)}));
                self.last = summary(&resource);
                Ok(Some(Snapshot {
                    at: self.start.elapsed(),
                    resource,
                }))
            }
            Ok(None) => {
                self.note(json!({"status": "Ok"}));
                Ok(None)
            }
            Err(status) => {
                self.note(json!({
                    "status": format!("{:?}", status.code()), "message": status.message(),
                }));
                Err(CallError {
                    method: self.method.clone(),
                    status,
                })
            }
        }
    }

    async fn message(&mut self) -> Result<Option<R>, Status> {
        let Some(whole) = self.whole else {
            return self.stream.message().await;
        };
        let deadline = self.start + whole;
        match tokio::time::timeout_at(deadline.into(), self.stream.message()).await {
            Ok(message) => message,
            Err(_) => Err(Status::deadline_exceeded(format!(
                "the stream did not end within {whole:?}; the last message said {}",
                self.last
            ))),
        }
    }

    /// Writes down what happened, with the method and the time.
    fn note(&self, mut what: Value) {
        if let Value::Object(entry) = &mut what {
            entry.insert("method".to_owned(), self.method.clone().into());
            entry.insert("ms".to_owned(), millis(self.start).into());
        }
        self.journal.write(what);
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
    let mut summary = status["phase"].as_str().unwrap_or("no phase").to_owned();
    for what in ["messages", "tasks"] {
        if let Some(all) = status[what].as_array() {
            summary.push_str(&format!(", {} {what}", all.len()));
        }
    }
    if let Some(error) = status["error"].as_str() {
        summary.push_str(&format!(", error {error:?}"));
    }
    summary
}
