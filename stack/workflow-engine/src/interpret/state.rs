//! What a workflow knows while it runs.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};

use super::error::{Fault, kind};
use crate::{
    expression::{ExpressionError, Scope, Shared, Surroundings, Variables},
    secrets::Environment,
};

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct Constants {
    /// The id of the execution, empty for a workflow run by another one.
    pub execution_id: String,
    /// `$input`.
    pub input: Json,
    /// The variables of the execution.
    pub environment: Environment,
}

/// [`Constants`] as expressions see them.
pub(super) struct World {
    pub(super) constants: Constants,
    env: Json,
    placeholders: BTreeMap<String, String>,
}

impl World {
    pub(super) fn new(constants: Constants) -> Self {
        let (env, placeholders) = (
            constants.environment.as_variable(),
            constants.environment.placeholders(),
        );
        Self {
            constants,
            env,
            placeholders,
        }
    }

    /// The data a run begins with.
    pub(super) fn state(&self) -> State {
        let data = [
            ("__stigmer_execution_id", json!(self.constants.execution_id)),
            ("__stigmer_org_id", json!(self.constants.environment.org)),
        ];
        State {
            data: data
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Arc::new(value)))
                .collect(),
            context: Shared::new(),
            output: Arc::default(),
        }
    }

    /// Where the expressions of a task are evaluated; `subject` is `.`, the data when absent.
    pub(super) fn scope<'a>(
        &'a self,
        state: &'a State,
        subject: Option<&'a Json>,
        surroundings: Surroundings,
    ) -> Scope<'a> {
        let variables = Variables {
            data: &state.data,
            context: &state.context,
            env: &self.env,
            placeholders: &self.placeholders,
            input: &self.constants.input,
            output: &state.output,
            subject,
        };
        Scope::new(variables, surroundings)
    }
}

/// What changes: each branch and each iteration has a copy of its own, which shares the values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    /// `$data`.
    pub(super) data: Shared,
    /// `$context`.
    pub(super) context: Shared,
    /// `$output`.
    pub(super) output: Arc<Json>,
}

impl State {
    pub(super) fn enter(&mut self, task: &str) {
        self.set("task", json!({"name": task}));
        self.set("__stigmer_current_task_name", json!(task));
    }

    /// Sets a variable of `$data`.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Arc<Json>>) {
        self.replace(name, value);
    }

    /// Sets a variable of `$data` and returns what it was.
    pub(super) fn replace(&mut self, name: &str, value: impl Into<Arc<Json>>) -> Option<Arc<Json>> {
        self.data.insert(name.to_owned(), value.into())
    }
}

impl From<ExpressionError> for Fault {
    fn from(error: ExpressionError) -> Self {
        Self::new(kind::EXPRESSION, error.to_string())
    }
}
