//! HTTP_CALL.

use serde_json::{Value, json};
use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::draft::Draft;

/// How long a call may take unless told otherwise, in seconds.
const TIMEOUT_SECONDS: u32 = 30;

/// Calls an HTTP server. Its output is the answer's body, parsed when it is JSON.
#[derive(Clone, Debug)]
pub struct HttpCall(Draft);

becomes_task!(HttpCall);

impl HttpCall {
    /// A call with `method`: GET, POST, PUT, DELETE or PATCH.
    pub fn new(name: impl Into<String>, method: &str, uri: impl Into<String>) -> Self {
        let draft = Draft::new(name, WorkflowTaskKind::HttpCall)
            .with("method", method)
            .with("endpoint", json!({ "uri": uri.into() }))
            .with("timeout_seconds", TIMEOUT_SECONDS);
        Self(draft)
    }

    /// A GET call.
    pub fn get(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::new(name, "GET", uri)
    }

    /// A POST call.
    pub fn post(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::new(name, "POST", uri)
    }

    /// A PUT call.
    pub fn put(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::new(name, "PUT", uri)
    }

    /// A PATCH call.
    pub fn patch(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::new(name, "PATCH", uri)
    }

    /// A DELETE call.
    pub fn delete(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::new(name, "DELETE", uri)
    }

    /// Sends a header.
    #[must_use]
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self(self.0.with_entry("headers", name.into(), value.into()))
    }

    /// Sends a JSON object.
    #[must_use]
    pub fn body(self, body: Value) -> Self {
        Self(self.0.with("body", body))
    }

    /// How long the call may take: 1 to 300 seconds, 30 unless set.
    #[must_use]
    pub fn timeout_seconds(self, seconds: u32) -> Self {
        Self(self.0.with("timeout_seconds", seconds))
    }
}
