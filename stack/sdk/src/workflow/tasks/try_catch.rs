//! TRY.

use serde_json::json;
use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::{
    jq::{Jq, path},
    workflow::{Expression, Task, draft::Draft},
};

/// Runs tasks, and others when one of them fails.
#[derive(Clone, Debug)]
pub struct TryCatch(Draft);

becomes_task!(TryCatch);

impl TryCatch {
    /// Runs `tasks`; when one fails, those that `catch` makes. It is given the error, called
    /// `error`, with the fields `message`, `type`, `status` (of HTTP) and `task`.
    pub fn new(
        name: impl Into<String>,
        tasks: impl IntoIterator<Item = Task>,
        error: &str,
        catch: impl FnOnce(&Expression) -> Vec<Task>,
    ) -> Self {
        let caught = Expression::from(Jq::term(format!("$data{}", path(error))));
        let draft = Draft::new(name, WorkflowTaskKind::Try)
            .with("catch", json!({ "as": error }))
            .with_tasks("", "try", tasks)
            .with_tasks("/catch", "do", catch(&caught));
        Self(draft)
    }
}
