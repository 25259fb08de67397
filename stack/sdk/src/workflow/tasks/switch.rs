//! SWITCH.

use serde_json::json;
use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::draft::Draft;

/// Goes on where the first case that holds says. The task gone to flows on to its successors, so
/// branches name where they join, or end.
#[derive(Clone, Debug)]
pub struct Switch(Draft);

becomes_task!(Switch);

impl Switch {
    /// A task with the cases that [`case`](Self::case) adds; at least one.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Draft::new(name, WorkflowTaskKind::Switch))
    }

    /// When `when` holds, goes on with the task called `then`, of the same list.
    #[must_use]
    pub fn case(
        self,
        name: impl Into<String>,
        when: impl Into<String>,
        then: impl Into<String>,
    ) -> Self {
        let case = json!({"name": name.into(), "when": when.into(), "then": then.into()});
        Self(self.0.with_item("cases", case))
    }

    /// When no case holds, goes on with the task called `then`.
    #[must_use]
    pub fn otherwise(self, name: impl Into<String>, then: impl Into<String>) -> Self {
        let case = json!({"name": name.into(), "then": then.into()});
        Self(self.0.with_item("cases", case))
    }
}
