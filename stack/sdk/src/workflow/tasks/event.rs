//! LISTEN and WAIT: waiting for what happens outside, and for time to pass.

use serde_json::json;
use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::draft::Draft;

/// Waits for messages. Its output is what they carried.
#[derive(Clone, Debug)]
pub struct Listen(Draft);

/// Waits for time to pass.
#[derive(Clone, Debug)]
pub struct Wait(Draft);

becomes_task!(Listen, Wait);

impl Listen {
    /// Waits for the first of the messages that are added.
    pub fn one(name: impl Into<String>) -> Self {
        Self::to(name, "one")
    }

    /// Waits for all of the messages that are added.
    pub fn all(name: impl Into<String>) -> Self {
        Self::to(name, "all")
    }

    /// Adds a Temporal signal.
    #[must_use]
    pub fn signal(self, id: impl Into<String>) -> Self {
        self.message(id, "signal")
    }

    /// Adds a Temporal query.
    #[must_use]
    pub fn query(self, id: impl Into<String>) -> Self {
        self.message(id, "query")
    }

    /// Adds a Temporal update.
    #[must_use]
    pub fn update(self, id: impl Into<String>) -> Self {
        self.message(id, "update")
    }

    fn to(name: impl Into<String>, mode: &str) -> Self {
        let draft = Draft::new(name, WorkflowTaskKind::Listen);
        Self(draft.with("to", json!({"mode": mode, "signals": []})))
    }

    fn message(mut self, id: impl Into<String>, kind: &str) -> Self {
        let signals = self
            .0
            .config
            .get_mut("to")
            .and_then(|to| to.get_mut("signals"));
        if let Some(signals) = signals.and_then(|signals| signals.as_array_mut()) {
            signals.push(json!({"id": id.into(), "type": kind}));
        }
        self
    }
}

impl Wait {
    /// Waits so many seconds; at least one.
    pub fn seconds(name: impl Into<String>, seconds: u32) -> Self {
        Self(Draft::new(name, WorkflowTaskKind::Wait).with("seconds", seconds))
    }
}
