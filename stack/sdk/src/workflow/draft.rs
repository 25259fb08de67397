//! What the builders of all kinds write down.

use serde_json::{Map, Value};
use stigmer_api::commons::WorkflowTaskKind;

use super::Task;

/// A task on the way: its name, its kind, and its `task_config`.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) kind: WorkflowTaskKind,
    pub(super) config: Map<String, Value>,
    pub(super) lists: Vec<List>,
}

/// Tasks inside a task.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// The JSON pointer to the object of the config that holds them.
    pub(super) parent: String,
    /// Their key in that object.
    pub(super) key: &'static str,
    pub(super) tasks: Vec<Task>,
}

impl Draft {
    pub(super) fn new(name: impl Into<String>, kind: WorkflowTaskKind) -> Self {
        Self {
            name: name.into(),
            kind,
            config: Map::new(),
            lists: Vec::new(),
        }
    }

    /// Sets a field of the config.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a field of an object in the config, and makes the object when it is missing.
    pub(super) fn with_entry(mut self, key: &str, entry: String, value: impl Into<Value>) -> Self {
        let object = self
            .config
            .entry(key)
            .or_insert_with(|| Value::Object(Map::new()));
        object[entry] = value.into();
        self
    }

    /// Appends to a list in the config, and makes the list when it is missing.
    pub(super) fn with_item(mut self, key: &str, item: Value) -> Self {
        let list = self
            .config
            .entry(key)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(items) = list {
            items.push(item);
        }
        self
    }

    /// Puts tasks inside.
    pub(super) fn with_tasks(
        mut self,
        parent: impl Into<String>,
        key: &'static str,
        tasks: impl IntoIterator<Item = Task>,
    ) -> Self {
        self.lists.push(List {
            parent: parent.into(),
            key,
            tasks: tasks.into_iter().collect(),
        });
        self
    }
}
