//! Loops.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{
    Done, Effects, Fault, Left, Run, Step, Stop, TaskError, calls::type_of, kind, log::Entry,
    state::State,
};
use crate::model::ForEach;

/// The most iterations of a loop over a number.
const MAX_COUNT: u64 = 10_000;

/// What is iterated: positions or names, and items.
enum Items {
    List(Vec<Json>),
    Object(Map<String, Json>),
}

impl<E: Effects> Run<'_, E> {
    /// The output is the list of what each iteration gave, or the object of it for an object.
    pub(super) async fn for_each<'a>(
        &self,
        body: &'a ForEach,
        name: &str,
        state: &mut State,
        entry: &Entry,
    ) -> Step<Done<'a>, E> {
        let fail = |fault: Fault| Stop::Failed(TaskError::new(name, fault));
        let source = self
            .scope(state)
            .resolve(&body.source)
            .map_err(|e| fail(e.into()))?;
        let (keys, items, named) = match items(source).map_err(fail)? {
            Items::List(items) => (
                (0..items.len()).map(|at| json!(at)).collect::<Vec<_>>(),
                items,
                false,
            ),
            Items::Object(fields) => {
                let (keys, items): (Vec<_>, Vec<_>) = fields
                    .into_iter()
                    .map(|(key, item)| (json!(key), item))
                    .unzip();
                (keys, items, true)
            }
        };
        self.record_input(entry, &json!({"iterations": items.len()}));
        let mut outputs = Vec::new();
        for (at, (key, item)) in keys.iter().zip(items).enumerate() {
            let mut inner = state.clone();
            inner.set(&body.each, item);
            inner.set(&body.at, key.clone());
            if let Some(condition) = &body.condition
                && !self
                    .scope(&inner)
                    .holds(condition)
                    .map_err(|e| fail(e.into()))?
            {
                break;
            }
            let path = format!("{}/{at}", entry.id);
            let left = self
                .list(&body.tasks, &mut inner, &path)
                .await
                .map_err(|stop| {
                    stop.map(|error| error.inside(name, Some(&format!("iteration {at}"))))
                })?;
            outputs.push((key.clone(), Arc::unwrap_or_clone(inner.output)));
            stigmer_fault::inject!(LoopOnce, { break });
            if left == Left::Ended {
                return Ok(Done::of_list(collected(outputs, named), left));
            }
        }
        Ok(Done::new(collected(outputs, named)))
    }
}

fn collected(outputs: Vec<(Json, Json)>, named: bool) -> Json {
    let name = |key: Json| match key {
        Json::String(name) => name,
        other => other.to_string(),
    };
    if named {
        Json::Object(
            outputs
                .into_iter()
                .map(|(key, output)| (name(key), output))
                .collect(),
        )
    } else {
        outputs.into_iter().map(|(_, output)| output).collect()
    }
}

fn items(source: Json) -> Result<Items, Fault> {
    let count = match &source {
        Json::Number(number) => number.as_u64().or_else(|| {
            number
                .as_f64()
                .filter(|n| n.fract() == 0.0 && *n >= 0.0)
                .map(|n| n as u64)
        }),
        _ => None,
    };
    match (source, count) {
        (_, Some(count)) if count <= MAX_COUNT => {
            Ok(Items::List((0..count).map(|n| json!(n)).collect()))
        }
        (_, Some(count)) => Err(Fault::new(
            kind::LIMIT,
            format!("{count} iterations are more than the {MAX_COUNT} allowed"),
        )),
        (Json::Array(items), _) => Ok(Items::List(items)),
        (Json::Object(fields), _) => Ok(Items::Object(fields)),
        (other, _) => {
            let shown = other.to_string().chars().take(200).collect::<String>();
            let got = type_of(&other);
            Err(Fault::new(
                kind::VALIDATION,
                format!(
                    "for task data is not iterable: expected map, array, or int, got {got}: {shown}"
                ),
            ))
        }
    }
}
