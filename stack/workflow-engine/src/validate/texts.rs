//! Every text of a task that may hold expressions, and where it stands.

use serde_json::Value as Json;

use crate::model::{Action, Call, Task};

/// A text of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text<'a> {
    /// Where, such as `set.title` or `with.headers.Accept`.
    pub(super) field: String,
    /// What.
    pub(super) text: &'a str,
    /// Whether it is a condition, which is an expression also without `${ }`.
    pub(super) condition: bool,
    /// Whether it is evaluated when the task has its output.
    pub(super) after: bool,
}

/// The texts of `task`, those of tasks inside it not included.
pub(super) fn of(task: &Task) -> Vec<Text<'_>> {
    let mut texts = Texts::default();
    texts.condition("if", task.condition.as_deref());
    action(&task.action, &mut texts);
    let own = texts.0.len();
    texts.json("output.as", task.output.as_ref());
    texts.json("export.as", task.export.as_ref());
    texts.0[own..].iter_mut().for_each(|text| text.after = true);
    texts.0
}

fn action<'a>(action: &'a Action, texts: &mut Texts<'a>) {
    match action {
        Action::Set(variables) => variables
            .iter()
            .for_each(|(name, value)| texts.tree(format!("set.{name}"), value)),
        Action::Call(call) => self::call(call, texts),
        Action::Switch(cases) => {
            cases.iter().for_each(|case| {
                texts.condition(
                    &format!("switch.{}.when", case.name),
                    case.body.when.as_deref(),
                )
            });
        }
        Action::For(body) => {
            texts.json("for.in", Some(&body.source));
            texts.condition("while", body.condition.as_deref());
        }
        Action::Try(body) => {
            texts.condition("catch.when", body.catch.when.as_deref());
            texts.condition("catch.exceptWhen", body.catch.except_when.as_deref());
            let retry = body.catch.retry.as_ref();
            texts.condition(
                "catch.retry.when",
                retry.and_then(|retry| retry.when.as_deref()),
            );
            texts.condition(
                "catch.retry.exceptWhen",
                retry.and_then(|retry| retry.except_when.as_deref()),
            );
        }
        Action::Raise(error) => {
            texts.text("raise.error.type", Some(&error.kind));
            texts.json("raise.error.status", error.status.as_ref());
            texts.text("raise.error.title", error.title.as_deref());
            texts.text("raise.error.detail", error.detail.as_deref());
        }
        Action::Run(run) => {
            texts.text("run.workflow.name", Some(&run.name));
            texts.json("run.workflow.input", run.input.as_ref());
        }
        Action::Fork(_) | Action::Listen(_) | Action::Wait(_) => {}
    }
}

fn call<'a>(call: &'a Call, texts: &mut Texts<'a>) {
    match call {
        Call::Http(call) => {
            texts.text("with.method", Some(&call.method));
            texts.text("with.endpoint.uri", Some(&call.endpoint.uri));
            call.headers
                .iter()
                .for_each(|(name, value)| texts.tree(format!("with.headers.{name}"), value));
            call.query
                .iter()
                .for_each(|(name, value)| texts.tree(format!("with.query.{name}"), value));
            texts.json("with.body", call.body.as_ref());
        }
        Call::Grpc(call) => {
            texts.text("with.service.name", Some(&call.service.name));
            texts.text("with.service.host", Some(&call.service.host));
            texts.json("with.service.port", Some(&call.service.port));
            texts.text("with.method", Some(&call.method));
            texts.json("with.arguments", call.arguments.as_ref());
        }
        Call::Activity(call) => {
            texts.text("with.name", Some(&call.name));
            texts.text("with.taskQueue", call.task_queue.as_deref());
            call.arguments
                .iter()
                .enumerate()
                .for_each(|(at, value)| texts.tree(format!("with.arguments[{at}]"), value));
        }
        Call::Agent(call) => {
            texts.text("with.agent", Some(&call.agent));
            texts.text("with.message", Some(&call.message));
            call.env
                .iter()
                .for_each(|(name, value)| texts.tree(format!("with.env.{name}"), value));
            texts.text(
                "with.config.model",
                call.config
                    .as_ref()
                    .and_then(|config| config.model.as_deref()),
            );
        }
    }
}

#[derive(Default)]
struct Texts<'a>(Vec<Text<'a>>);

impl<'a> Texts<'a> {
    fn text(&mut self, field: &str, text: Option<&'a str>) {
        self.0.extend(text.map(|text| Text {
            field: field.to_owned(),
            text,
            condition: false,
            after: false,
        }));
    }

    fn condition(&mut self, field: &str, text: Option<&'a str>) {
        self.0.extend(text.map(|text| Text {
            field: field.to_owned(),
            text,
            condition: true,
            after: false,
        }));
    }

    fn json(&mut self, field: &str, json: Option<&'a Json>) {
        json.into_iter()
            .for_each(|json| self.tree(field.to_owned(), json));
    }

    fn tree(&mut self, field: String, json: &'a Json) {
        match json {
            Json::String(text) => self.text(&field, Some(text)),
            Json::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, item)| self.tree(format!("{field}[{at}]"), item)),
            Json::Object(fields) => fields
                .iter()
                .for_each(|(name, value)| self.tree(format!("{field}.{name}"), value)),
            _ => {}
        }
    }
}
