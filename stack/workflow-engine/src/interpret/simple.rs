//! Tasks that act on the state alone, and waiting for events.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::{
    Awaited, Done, Effect, Effects, Fault, Run, flow::Then, kind, log::Entry, state::State,
};
use crate::model::{Case, ErrorDefinition, EventKind, Listen, ListenTo, Named, Span};

/// How long events are waited for unless the task says otherwise.
const LISTEN: Duration = Duration::from_secs(60);

impl<E: Effects> Run<'_, E> {
    /// All variables are evaluated before any is set.
    pub(super) fn set<'a>(
        &self,
        variables: &Map<String, Json>,
        state: &mut State,
    ) -> Result<Done<'a>, Fault> {
        let values = self
            .scope(state)
            .resolve(&Json::Object(variables.clone()))?;
        if let Json::Object(values) = &values {
            for (name, value) in values {
                state.set(name, value.clone());
            }
        }
        Ok(Done::new(values))
    }

    /// The first case whose condition holds, or that has none.
    pub(super) fn switch<'a>(
        &self,
        cases: &'a [Named<Case>],
        state: &State,
    ) -> Result<Done<'a>, Fault> {
        for Named { body: case, .. } in cases {
            let holds = match &case.when {
                None => true,
                Some(when) => self.scope(state).holds(when)?,
            };
            stigmer_fault::inject!(WrongCase, {
                let then = Some(Then::parse(&case.then));
                return Ok(Done {
                    output: Json::Null,
                    then,
                });
            });
            if holds {
                return Ok(Done {
                    output: Json::Null,
                    then: Some(Then::parse(&case.then)),
                });
            }
        }
        Ok(Done::new(Json::Null))
    }

    pub(super) fn raise<'a>(
        &self,
        error: &ErrorDefinition,
        state: &State,
        entry: &Entry,
    ) -> Result<Done<'a>, Fault> {
        let definition = json!({"type": error.kind, "status": error.status, "title": error.title, "detail": error.detail});
        let resolved = self.scope(state).resolve(&definition)?;
        self.record_input(entry, &resolved);
        let text = |field: &str| match &resolved[field] {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let kind = text("type").unwrap_or_default();
        let message = text("detail")
            .or_else(|| text("title"))
            .unwrap_or_else(|| kind.clone());
        let status = text("status").and_then(|status| status.parse().ok());
        Err(Fault {
            kind,
            message,
            status,
        })
    }

    /// The output is what came with the one event, or with each of all, by id.
    pub(super) async fn listen<'a>(
        &self,
        listen: &Listen,
        timeout: Option<Span>,
        state: &mut State,
    ) -> Effect<Done<'a>, E::Interrupt> {
        let (filters, all) = match &listen.to {
            ListenTo::One(filter) => (std::slice::from_ref(filter), false),
            ListenTo::Any(filters) => (filters.as_slice(), false),
            ListenTo::All(filters) => (filters.as_slice(), true),
        };
        let events = filters
            .iter()
            .map(|filter| filter.with.clone())
            .collect::<Vec<_>>();
        let timeout = timeout.map_or(LISTEN, |span| span.0);
        let received = self
            .fx
            .receive(Awaited {
                events: events.clone(),
                all,
                timeout,
            })
            .await?;
        let received = received.ok_or_else(|| {
            let ids = events
                .iter()
                .map(|event| event.id.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            Fault::new(
                kind::TIMEOUT,
                format!("timeout: no {ids} within {} s", timeout.as_secs_f64()),
            )
        })?;
        for event in events
            .iter()
            .filter(|event| event.kind == EventKind::Update)
        {
            if let Some(data) = received.get(&event.id) {
                state.set(&event.id, data.clone());
            }
        }
        let output = if all {
            Json::Object(received.into_iter().collect())
        } else {
            received.into_values().next().unwrap_or_default()
        };
        Ok(Done::new(output))
    }
}
