//! SET: variables.

use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::draft::Draft;

/// Sets variables. Its output is an object of them.
#[derive(Clone, Debug)]
pub struct Set(Draft);

becomes_task!(Set);

impl Set {
    /// A task that sets what [`variable`](Self::variable) adds; at least one.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Draft::new(name, WorkflowTaskKind::Set))
    }

    /// Sets one variable. A text that is one expression gives the expression's value.
    #[must_use]
    pub fn variable(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self(self.0.with_entry("variables", name.into(), value.into()))
    }
}
