//! Calls: their expressions evaluated, then handed to the effects.

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::{Done, Effect, Effects, Fault, Outgoing, Request, Run, kind, log::Entry, state::State};
use crate::model::{Call, HttpCall, Named, RunWorkflow, Task};

impl<E: Effects> Run<'_, E> {
    pub(super) async fn call<'a>(
        &self,
        call: &Call,
        task: &Named<Task>,
        state: &State,
        entry: &Entry,
    ) -> Effect<Done<'a>, E::Interrupt> {
        let outgoing = match call {
            Call::Http(call) => Outgoing::Http(http(call, self.resolved(call, state)?)?),
            Call::Grpc(call) => Outgoing::Grpc(typed(self.resolved(call, state)?)?),
            Call::Activity(call) => Outgoing::Activity(typed(self.resolved(call, state)?)?),
            Call::Agent(call) => {
                let resolved = self.resolved(call, state)?;
                if !resolved["message"].is_string() {
                    let got = type_of(&resolved["message"]);
                    return Err(Fault::new(
                        kind::VALIDATION,
                        format!("message expression must evaluate to string, got {got}"),
                    )
                    .into());
                }
                Outgoing::Agent(typed(resolved)?)
            }
        };
        self.send(outgoing, task, entry).await
    }

    pub(super) async fn run_workflow<'a>(
        &self,
        run: &RunWorkflow,
        task: &Named<Task>,
        state: &State,
        entry: &Entry,
    ) -> Effect<Done<'a>, E::Interrupt> {
        let resolved = self
            .scope(state)
            .resolve(&json!({"name": run.name, "input": run.input}))
            .map_err(Fault::from)?;
        let Json::String(name) = &resolved["name"] else {
            let got = type_of(&resolved["name"]);
            return Err(Fault::new(
                kind::VALIDATION,
                format!("the workflow's name must be a string, got {got}"),
            )
            .into());
        };
        let input = Some(resolved["input"].clone()).filter(|input| !input.is_null());
        self.send(
            Outgoing::Workflow(RunWorkflow {
                name: name.clone(),
                input,
                wait: run.wait,
            }),
            task,
            entry,
        )
        .await
    }

    async fn send<'a>(
        &self,
        call: Outgoing,
        task: &Named<Task>,
        entry: &Entry,
    ) -> Effect<Done<'a>, E::Interrupt> {
        self.record_input(entry, &input_of(&call));
        let request = Request {
            task_id: entry.id.clone(),
            task: task.name.clone(),
            timeout: task.body.timeout.map(|span| span.0),
            call,
        };
        self.fx.call(request).await.map(Done::new)
    }

    fn resolved(&self, config: &impl serde::Serialize, state: &State) -> Result<Json, Fault> {
        let config = serde_json::to_value(config)
            .map_err(|e| Fault::new(kind::VALIDATION, e.to_string()))?;
        Ok(self.scope(state).resolve(&config)?)
    }
}

fn http(call: &HttpCall, mut resolved: Json) -> Result<HttpCall, Fault> {
    match &resolved["endpoint"]["uri"] {
        Json::String(_) => {}
        Json::Null => {
            return Err(Fault::new(
                kind::EXPRESSION,
                format!(
                    "expression evaluation returned nil for: {}",
                    call.endpoint.uri
                ),
            ));
        }
        other => {
            return Err(Fault::new(
                kind::VALIDATION,
                format!("endpoint.uri must be a string, got {}", type_of(other)),
            ));
        }
    }
    if let Json::String(method) = &mut resolved["method"] {
        method.make_ascii_uppercase();
    }
    typed(resolved)
}

/// The config as the type it was before its expressions were evaluated.
fn typed<T: DeserializeOwned>(resolved: Json) -> Result<T, Fault> {
    serde_json::from_value(resolved).map_err(|e| {
        Fault::new(
            kind::VALIDATION,
            format!("after its expressions were evaluated: {e}"),
        )
    })
}

/// What a record shows as the input of a call.
fn input_of(call: &Outgoing) -> Json {
    let json = match call {
        Outgoing::Http(call) => serde_json::to_value(call),
        Outgoing::Grpc(call) => serde_json::to_value(call),
        Outgoing::Activity(call) => serde_json::to_value(call),
        Outgoing::Agent(call) => serde_json::to_value(call),
        Outgoing::Workflow(run) => Ok(json!({"workflow": run.name, "input": run.input})),
    };
    // Each was made from JSON a moment ago.
    json.unwrap_or_default()
}

/// The JSON type of a value, for errors.
pub(super) fn type_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
