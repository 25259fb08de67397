//! What a program has described so far.

use std::{
    cell::{Ref as Borrowed, RefCell},
    collections::BTreeMap,
};

use serde_json::{Map, Value};

use crate::{
    Agent, Workflow,
    value::{BoolRef, IntRef, ObjectRef, Ref, StringRef},
};

/// Collects the resources and variables of one program; [`run`](crate::run) hands it to the
/// program's function.
#[derive(Debug, Default)]
pub struct Context {
    variables: RefCell<BTreeMap<String, Variable>>,
    agents: RefCell<Vec<Agent>>,
    workflows: RefCell<Vec<Workflow>>,
    dependencies: RefCell<BTreeMap<String, Vec<String>>>,
}

/// A variable of any type.
#[derive(Clone, Debug, PartialEq)]
pub enum Variable {
    /// A text.
    String(StringRef),
    /// A whole number.
    Int(IntRef),
    /// A truth value.
    Bool(BoolRef),
    /// An object.
    Object(ObjectRef),
}

impl Variable {
    /// The value as JSON, or nothing when it is secret.
    pub(crate) fn shown(&self) -> Option<Value> {
        let (value, is_secret) = match self {
            Self::String(r) => (Value::from(r.value().as_str()), r.is_secret()),
            Self::Int(r) => (Value::from(*r.value()), r.is_secret()),
            Self::Bool(r) => (Value::from(*r.value()), r.is_secret()),
            Self::Object(r) => (Value::Object(r.value().clone()), r.is_secret()),
        };
        (!is_secret).then_some(value)
    }
}

impl Context {
    /// An empty context, for tests of functions that take one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a text. A later value of the same name replaces it; references keep the old one.
    pub fn set_string(&self, name: &str, value: impl Into<String>) -> StringRef {
        self.set(name, value.into(), false, Variable::String)
    }

    /// Sets a text that must not be shown.
    pub fn set_secret(&self, name: &str, value: impl Into<String>) -> StringRef {
        self.set(name, value.into(), true, Variable::String)
    }

    /// Sets a whole number.
    pub fn set_int(&self, name: &str, value: i64) -> IntRef {
        self.set(name, value, false, Variable::Int)
    }

    /// Sets a truth value.
    pub fn set_bool(&self, name: &str, value: bool) -> BoolRef {
        self.set(name, value, false, Variable::Bool)
    }

    /// Sets an object.
    pub fn set_object(&self, name: &str, value: Map<String, Value>) -> ObjectRef {
        self.set(name, value, false, Variable::Object)
    }

    /// The variable, whatever its type.
    pub fn get(&self, name: &str) -> Option<Variable> {
        self.variables.borrow().get(name).cloned()
    }

    /// The variable, if it is a text.
    pub fn get_string(&self, name: &str) -> Option<StringRef> {
        match self.get(name)? {
            Variable::String(reference) => Some(reference),
            _ => None,
        }
    }

    /// The variable, if it is a whole number.
    pub fn get_int(&self, name: &str) -> Option<IntRef> {
        match self.get(name)? {
            Variable::Int(reference) => Some(reference),
            _ => None,
        }
    }

    /// The variable, if it is a truth value.
    pub fn get_bool(&self, name: &str) -> Option<BoolRef> {
        match self.get(name)? {
            Variable::Bool(reference) => Some(reference),
            _ => None,
        }
    }

    /// The variable, if it is an object.
    pub fn get_object(&self, name: &str) -> Option<ObjectRef> {
        match self.get(name)? {
            Variable::Object(reference) => Some(reference),
            _ => None,
        }
    }

    /// Records that the resource `id` needs `depends_on`; ids are `agent:<name>`
    /// and `workflow:<name>`. Agents that a workflow calls need no recording.
    pub fn track_dependency(&self, id: impl Into<String>, depends_on: impl Into<String>) {
        self.dependencies
            .borrow_mut()
            .entry(id.into())
            .or_default()
            .push(depends_on.into());
    }

    /// The recorded dependencies: id to what it needs, in the order of recording.
    pub fn dependencies(&self) -> BTreeMap<String, Vec<String>> {
        self.dependencies.borrow().clone()
    }

    pub(crate) fn register_agent(&self, agent: Agent) {
        self.agents.borrow_mut().push(agent);
    }

    /// The agents in the order of registration.
    pub(crate) fn agents(&self) -> Borrowed<'_, Vec<Agent>> {
        self.agents.borrow()
    }

    pub(crate) fn register_workflow(&self, workflow: Workflow) {
        self.workflows.borrow_mut().push(workflow);
    }

    /// The workflows in the order of registration.
    pub(crate) fn workflows(&self) -> Borrowed<'_, Vec<Workflow>> {
        self.workflows.borrow()
    }

    fn set<T: Clone>(
        &self,
        name: &str,
        value: T,
        is_secret: bool,
        kind: fn(Ref<T>) -> Variable,
    ) -> Ref<T> {
        let reference = Ref::variable(name, value, is_secret);
        self.variables
            .borrow_mut()
            .insert(name.to_owned(), kind(reference.clone()));
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_back_with_their_type_only() {
        let ctx = Context::new();
        ctx.set_string("region", "eu");
        ctx.set_secret("token", "hush");
        ctx.set_int("retries", 3);
        ctx.set_bool("on", true);
        ctx.set_object("config", Map::new());
        assert_eq!(ctx.get_string("region").unwrap().value(), "eu");
        assert!(ctx.get_string("token").unwrap().is_secret());
        assert_eq!(ctx.get_int("retries").unwrap().value(), &3);
        assert_eq!(ctx.get_bool("on").unwrap().value(), &true);
        assert!(ctx.get_object("config").is_some());
        assert!(matches!(ctx.get("on"), Some(Variable::Bool(_))));
        assert_eq!(ctx.get_string("retries"), None);
        assert_eq!(ctx.get("nope"), None);
    }

    #[test]
    fn dependencies_are_what_was_tracked() {
        let ctx = Context::new();
        assert!(ctx.dependencies().is_empty());
        ctx.track_dependency("agent:a", "agent:b");
        ctx.track_dependency("agent:a", "skill:c");
        assert_eq!(ctx.dependencies()["agent:a"], ["agent:b", "skill:c"]);
    }
}
