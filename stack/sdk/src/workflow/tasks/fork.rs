//! FORK.

use serde_json::json;
use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::{Task, draft::Draft};

/// Runs branches at the same time; [`Task::branch`] reads what they gave.
#[derive(Clone, Debug)]
pub struct Fork(Draft);

becomes_task!(Fork);

impl Fork {
    /// A task with the branches that [`branch`](Self::branch) adds; at least two.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Draft::new(name, WorkflowTaskKind::Fork).with("branches", json!([])))
    }

    /// Adds a branch of tasks, which run one after the other.
    #[must_use]
    pub fn branch(self, name: impl Into<String>, tasks: impl IntoIterator<Item = Task>) -> Self {
        let parent = format!("/branches/{}", self.0.lists.len());
        let draft = self.0.with_item("branches", json!({"name": name.into()}));
        Self(draft.with_tasks(parent, "do", tasks))
    }

    /// The first branch to finish gives the output, and the others are cancelled.
    #[must_use]
    pub fn compete(self) -> Self {
        Self(self.0.with("compete", true))
    }
}
