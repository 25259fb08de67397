//! FOR.

use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::{
    jq::{Jq, path},
    workflow::{Expression, Task, draft::Draft},
};

/// Runs tasks once for each item of a list. Its output is the list of what the iterations gave.
#[derive(Clone, Debug)]
pub struct ForEach(Draft);

becomes_task!(ForEach);

impl ForEach {
    /// For each item of `list`, called `each`, the tasks that `body` makes; it is given the item.
    ///
    /// ```
    /// # use stigmer::{Expression, ForEach, Set};
    /// let commits = Expression::jq("$context.fetchCommits");
    /// let each = ForEach::new("analyzeAll", "commit", commits, |commit| {
    ///     vec![Set::new("analyze").variable("sha", commit.field("sha")).into()]
    /// });
    /// ```
    pub fn new(
        name: impl Into<String>,
        each: &str,
        list: impl Into<String>,
        body: impl FnOnce(&Expression) -> Vec<Task>,
    ) -> Self {
        let item = Expression::from(Jq::term(format!("$data{}", path(each))));
        let draft = Draft::new(name, WorkflowTaskKind::For)
            .with("each", each)
            .with("in", list.into())
            .with_tasks("", "do", body(&item));
        Self(draft)
    }
}
