//! What a workflow knows while it runs.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::error::{Fault, kind};
use crate::engine::{
    expression::{ExpressionError, Scope, Surroundings, Variables},
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
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            context: Map::new(),
            output: Json::Null,
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

/// What changes: each branch and each iteration has a copy of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    /// `$data`.
    pub(super) data: Map<String, Json>,
    /// `$context`.
    pub(super) context: Map<String, Json>,
    /// `$output`.
    pub(super) output: Json,
}

impl State {
    pub(super) fn enter(&mut self, task: &str) {
        self.data.insert("task".to_owned(), json!({"name": task}));
        self.data
            .insert("__stigmer_current_task_name".to_owned(), json!(task));
    }
}

impl From<ExpressionError> for Fault {
    fn from(error: ExpressionError) -> Self {
        Self::new(kind::EXPRESSION, error.to_string())
    }
}
