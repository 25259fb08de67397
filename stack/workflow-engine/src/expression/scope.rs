//! Evaluating texts, and whole JSON trees of them, against the state of a workflow.

use std::{cell::OnceCell, collections::BTreeMap, sync::Arc, thread};

use serde_json::Value as Json;

use super::{
    budget,
    natives::{self, Surroundings},
    path,
    program::{ExpressionError, Program, VARIABLES},
    text::{self, Piece},
    value::Value,
};

/// Values by name that copies of a workflow's state share: a loop over thousands of items has a copy
/// for each.
pub type Shared = BTreeMap<String, Arc<Json>>;

/// What expressions can name, and `.`.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// `$data`.
    pub data: &'a Shared,
    /// `$context`.
    pub context: &'a Shared,
    /// `$env`.
    pub env: &'a Json,
    /// `$secrets` and the values of `${.secrets.KEY}` and `${.env_vars.KEY}`, by key.
    pub placeholders: &'a BTreeMap<String, String>,
    /// `$input`.
    pub input: &'a Json,
    /// `$output`.
    pub output: &'a Json,
    /// `.`; the data, with `secrets` and `env_vars`, when absent.
    pub subject: Option<&'a Json>,
}

/// A place where expressions are evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    variables: Variables<'a>,
    surroundings: Surroundings,
}

impl<'a> Scope<'a> {
    /// A scope with these variables; `surroundings` answer `now` and `uuid`.
    pub fn new(variables: Variables<'a>, surroundings: Surroundings) -> Self {
        Self {
            variables,
            surroundings,
        }
    }

    /// `json` with every expression in its texts replaced by its value.
    pub fn resolve(&self, json: &Json) -> Result<Json, ExpressionError> {
        if !has_expressions(json) {
            return Ok(json.clone());
        }
        match path::resolve(&self.variables, json) {
            Some(resolved) => Ok(resolved),
            None => self.evaluate(|evaluator| evaluator.tree(json)),
        }
    }

    /// Whether the condition `text` holds. Null counts as false, the texts `true`, `1`, `false`
    /// and `0` as what they say.
    pub fn holds(&self, text: &str) -> Result<bool, ExpressionError> {
        let code = text::condition(text);
        let value = match path::value(&self.variables, &code) {
            Some(value) => value,
            None => {
                self.evaluate(|evaluator| evaluator.expression(&code).map(|value| value.to_json()))?
            }
        };
        match &value {
            Json::Bool(holds) => Some(*holds),
            Json::Null => Some(false),
            Json::String(text) if text.eq_ignore_ascii_case("true") || text == "1" => Some(true),
            Json::String(text)
                if text.eq_ignore_ascii_case("false") || text == "0" || text.is_empty() =>
            {
                Some(false)
            }
            _ => None,
        }
        .ok_or_else(|| ExpressionError::NotBoolean {
            code: text.to_owned(),
            kind: kind(&value),
        })
    }

    fn evaluate<T: Send>(
        &self,
        work: impl FnOnce(&Evaluator<'_>) -> Result<T, ExpressionError> + Send,
    ) -> Result<T, ExpressionError> {
        let (variables, surroundings) = (self.variables, self.surroundings);
        on_large_stack(move || {
            natives::surround(surroundings);
            work(&Evaluator {
                variables,
                cells: Default::default(),
                subject: OnceCell::new(),
            })
        })
    }
}

/// Runs `work` on a thread of its own, whose stack is known and large enough for the recursion that
/// the limits on code and on its evaluation allow.
pub(super) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        thread::Builder::new()
            .name("expression".to_owned())
            .stack_size(budget::STACK_BYTES)
            .spawn_scoped(scope, work)
            // The process is out of threads or memory; there is no way to go on.
            .expect("the system starts a thread")
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn has_expressions(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains("${"),
        Json::Array(items) => items.iter().any(has_expressions),
        Json::Object(fields) => fields.values().any(has_expressions),
        _ => false,
    }
}

/// Converts each variable at most once for all expressions of a tree, and only those named.
struct Evaluator<'a> {
    variables: Variables<'a>,
    cells: [OnceCell<Value>; 6],
    subject: OnceCell<Value>,
}

impl Evaluator<'_> {
    fn tree(&self, json: &Json) -> Result<Json, ExpressionError> {
        match json {
            Json::String(text) => self.text(text),
            Json::Array(items) => items.iter().map(|item| self.tree(item)).collect(),
            Json::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.tree(value)?)));
                fields.collect::<Result<_, _>>().map(Json::Object)
            }
            other => Ok(other.clone()),
        }
    }

    fn text(&self, text: &str) -> Result<Json, ExpressionError> {
        let pieces = text::cut(text);
        self.check_placeholders(&pieces)?;
        // Blanks around a single expression do not make it a longer text.
        let trimmed = text::cut(text.trim());
        if let [Piece::Expression(code)] = trimmed.as_slice() {
            return self.expression(code).map(|value| value.to_json());
        }
        let mut written = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => written.push_str(text),
                Piece::Placeholder { key, .. } => {
                    written.push_str(&self.variables.placeholders[key])
                }
                Piece::Expression(code) => match self.expression(code)?.to_json() {
                    Json::String(text) => written.push_str(&text),
                    other => written.push_str(&other.to_string()),
                },
            }
        }
        Ok(Json::String(written))
    }

    fn check_placeholders(&self, pieces: &[Piece<'_>]) -> Result<(), ExpressionError> {
        let missing = pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder { form, key } if !self.variables.placeholders.contains_key(*key) => {
                Some(format!("{form}.{key}"))
            }
            _ => None,
        });
        let missing = missing.collect::<Vec<_>>();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(ExpressionError::Placeholders(missing))
        }
    }

    fn expression(&self, code: &str) -> Result<Value, ExpressionError> {
        let program = Program::of(code)?;
        budget::start_conversion();
        let names = VARIABLES.iter().zip(&self.cells).enumerate();
        let mut values = <[Value; 6]>::default();
        for (at, (name, cell)) in names {
            if program.mentions.variables.contains(*name) {
                values[at] = cell.get_or_init(|| self.variable(name)).clone();
            }
        }
        let subject = self.subject.get_or_init(|| self.make_subject()).clone();
        // Converting the state is not the expression's doing, but too large is too large.
        if let Some(excess) = budget::excess() {
            return Err(program.failed(excess.text_of_state()));
        }
        budget::start();
        program.run(subject, values)
    }

    fn variable(&self, name: &str) -> Value {
        let variables = &self.variables;
        match name {
            "$data" => Value::from_shared(variables.data),
            "$context" => Value::from_shared(variables.context),
            "$env" => Value::from_json(variables.env),
            "$secrets" => self.placeholders(),
            "$input" => Value::from_json(variables.input),
            _ => Value::from_json(variables.output),
        }
    }

    fn placeholders(&self) -> Value {
        let entries = self.variables.placeholders.iter();
        Value::object(
            entries
                .map(|(key, value)| (key.as_str().into(), Value::text(value)))
                .collect(),
        )
    }

    fn make_subject(&self) -> Value {
        if let Some(subject) = self.variables.subject {
            return Value::from_json(subject);
        }
        let Value::Object(data) = Value::from_shared(self.variables.data) else {
            return Value::Null;
        };
        let mut fields = super::value::fields_of(data);
        for form in ["secrets", "env_vars"] {
            fields
                .entry(form.into())
                .or_insert_with(|| self.placeholders());
        }
        Value::object(fields)
    }
}
