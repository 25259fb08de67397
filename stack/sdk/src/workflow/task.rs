//! A task, what it exports, and what comes after it.

use std::{cell::RefCell, rc::Rc};

use serde_json::{Map, Value, json};
use stigmer_api::commons::WorkflowTaskKind;

use super::{Expression, draft::Draft};
use crate::jq::{Jq, path, quoted_path};

/// Exports the whole output of a task.
const EVERYTHING: &str = "${.}";

/// A task of a workflow, of any kind. A cheap handle: clones are the same task.
#[derive(Clone, Debug)]
pub struct Task {
    draft: Rc<Draft>,
    links: Rc<RefCell<Links>>,
}

#[derive(Debug, Default)]
struct Links {
    export: Option<String>,
    then: Option<String>,
    depends_on: Vec<String>,
}

impl From<Draft> for Task {
    fn from(draft: Draft) -> Self {
        Self {
            draft: Rc::new(draft),
            links: Rc::default(),
        }
    }
}

impl From<&Self> for Task {
    fn from(task: &Self) -> Self {
        task.clone()
    }
}

impl Task {
    /// The name.
    pub fn name(&self) -> &str {
        &self.draft.name
    }

    /// The task's output, for tasks after it: `${ $context["name"] }`. Exports it, unless something
    /// else is exported already.
    pub fn output(&self) -> Expression {
        let mut links = self.links.borrow_mut();
        links.export.get_or_insert_with(|| EVERYTHING.to_owned());
        let path = quoted_path(self.name());
        Expression::from(Jq::term(format!("$context{path}")))
    }

    /// A field of the task's output; `user.login` is a field of a field.
    pub fn field(&self, name: &str) -> Expression {
        self.output().field(name)
    }

    /// What the last task of a branch of this FORK gave.
    pub fn branch(&self, name: &str) -> Expression {
        let (fork, branch) = (path(self.name()), path(name));
        Expression::from(Jq::term(format!("$data{fork}.branches{branch}")))
    }

    /// Exports what `expression` makes of the output, which it sees as `.`.
    pub fn export(self, expression: impl Into<String>) -> Self {
        self.links.borrow_mut().export = Some(expression.into());
        self
    }

    /// Exports the whole output.
    pub fn export_all(self) -> Self {
        self.export(EVERYTHING)
    }

    /// Exports one field of the output.
    pub fn export_field(self, name: &str) -> Self {
        self.export(format!("${{ {} }}", member(name)))
    }

    /// Exports an object of these fields of the output.
    pub fn export_fields<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let fields = names
            .into_iter()
            .map(|name| format!("{}: {}", Value::from(name), member(name)))
            .collect::<Vec<_>>();
        self.export(format!("${{ {{{}}} }}", fields.join(", ")))
    }

    /// Goes on with the task called `name`, of the same list.
    pub fn then(self, name: impl Into<String>) -> Self {
        self.links.borrow_mut().then = Some(name.into());
        self
    }

    /// Goes on with `task`, of the same list.
    pub fn then_task(self, task: &Self) -> Self {
        self.then(task.name())
    }

    /// Ends the workflow after this task.
    pub fn end(self) -> Self {
        self.then("end")
    }

    /// States that this task needs those. Tasks run in the order of the workflow whatever this
    /// says; a task that is not in the workflow is refused.
    pub fn depends_on<'a>(self, tasks: impl IntoIterator<Item = &'a Self>) -> Self {
        let names = tasks.into_iter().map(|task| task.name().to_owned());
        self.links.borrow_mut().depends_on.extend(names);
        self
    }

    pub(super) fn kind(&self) -> WorkflowTaskKind {
        self.draft.kind
    }

    pub(super) fn dependencies(&self) -> Vec<String> {
        self.links.borrow().depends_on.clone()
    }

    /// This task and all inside it, parents first.
    pub(super) fn all(&self) -> Vec<Self> {
        let inside = self.draft.lists.iter().flat_map(|list| &list.tasks);
        let inside = inside.flat_map(Self::all);
        std::iter::once(self.clone()).chain(inside).collect()
    }

    /// The `task_config`, tasks inside included.
    pub(super) fn config(&self) -> Map<String, Value> {
        let mut config = Value::Object(self.draft.config.clone());
        for list in &self.draft.lists {
            let tasks = list.tasks.iter().map(Self::to_json).collect();
            if let Some(parent) = config.pointer_mut(&list.parent) {
                parent[list.key] = tasks;
            }
        }
        match config {
            Value::Object(config) => config,
            _ => unreachable!("a list goes into an object"),
        }
    }

    /// The task as protobuf JSON.
    pub(super) fn to_json(&self) -> Value {
        let links = self.links.borrow();
        let mut task = json!({
            "name": self.name(),
            "kind": self.kind().as_str_name(),
            "taskConfig": self.config(),
        });
        if let Some(export) = &links.export {
            task["export"] = json!({ "as": export });
        }
        if let Some(then) = &links.then {
            task["flow"] = json!({ "then": then });
        }
        task
    }
}

/// The member `name` of `.`.
fn member(name: &str) -> String {
    format!(".{}", path(name).trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wait;

    fn task() -> Task {
        Wait::seconds("pause", 1).into()
    }

    #[test]
    fn reading_a_field_exports_the_output_once_and_keeps_what_was_chosen() {
        let pause = task();
        assert_eq!(pause.to_json().get("export"), None);
        assert_eq!(
            pause.field("user.login").to_string(),
            "${ $context[\"pause\"].user.login }"
        );
        assert_eq!(pause.to_json()["export"]["as"], "${.}");
        let pause = task().export_fields(["a", "b-c"]);
        drop(pause.field("a"));
        assert_eq!(
            pause.to_json()["export"]["as"],
            "${ {\"a\": .a, \"b-c\": .[\"b-c\"]} }"
        );
    }

    #[test]
    fn flow_says_what_comes_next() {
        assert_eq!(task().to_json().get("flow"), None);
        assert_eq!(task().end().to_json()["flow"]["then"], "end");
        let next = Task::from(Wait::seconds("next", 1));
        assert_eq!(task().then_task(&next).to_json()["flow"]["then"], "next");
    }

    #[test]
    fn a_branch_is_read_where_the_fork_leaves_it() {
        assert_eq!(
            task().branch("pulls").field("title").to_string(),
            "${ $data.pause.branches.pulls.title }"
        );
    }
}
