//! Failing and going on.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};

use super::{Done, Effects, Fault, Run, Step, Stop, TaskError, log::Entry, state::State};
use crate::model::{Backoff, Catch, Retry, TryCatch};

impl<E: Effects> Run<'_, E> {
    /// The output is that of the tasks, or of what was done instead.
    pub(super) async fn try_catch<'a>(
        &self,
        body: &'a TryCatch,
        name: &str,
        state: &mut State,
        entry: &Entry,
    ) -> Step<Done<'a>, E> {
        let path = format!("{}/try", entry.id);
        let mut attempt = 1;
        let error = loop {
            let error = match self.list(&body.tasks, state, &path).await {
                Ok(left) => return Ok(Done::of_list((*state.output).clone(), left)),
                Err(Stop::Failed(error)) => error,
                Err(interrupted) => return Err(interrupted),
            };
            let before = state.replace(&body.catch.name, error.as_variable());
            let decided = self.decide(&body.catch, &error, attempt, state);
            restore(state, &body.catch.name, &error, before);
            match decided.map_err(|fault| Stop::Failed(TaskError::new(name, fault)))? {
                Decision::Pass => return Err(Stop::Failed(error.inside(name, None))),
                Decision::Handle => break error,
                Decision::Again(delay) => {
                    attempt += 1;
                    let slept = self.fx.sleep(delay).await;
                    slept.map_err(|stop| stop.map(|fault| TaskError::new(name, fault)))?;
                }
            }
        };
        let before = state.replace(&body.catch.name, error.as_variable());
        let left = self
            .list(&body.catch.tasks, state, &format!("{}/catch", entry.id))
            .await;
        restore(state, &body.catch.name, &error, before);
        let left =
            left.map_err(|stop| stop.map(|error| error.inside(name, Some("in its catch"))))?;
        Ok(Done::of_list((*state.output).clone(), left))
    }

    fn decide(
        &self,
        catch: &Catch,
        error: &TaskError,
        attempt: u32,
        state: &State,
    ) -> Result<Decision, Fault> {
        stigmer_fault::inject!(CatchIgnored, { return Ok(Decision::Pass) });
        let holds = |condition: &Option<String>, default: bool| match condition {
            None => Ok(default),
            Some(condition) => self.scope(state).holds(condition).map_err(Fault::from),
        };
        let caught =
            agrees(catch, error) && holds(&catch.when, true)? && !holds(&catch.except_when, false)?;
        if !caught {
            return Ok(Decision::Pass);
        }
        if let Some(retry) = &catch.retry
            && attempt < retry.limit.attempt.count
            && holds(&retry.when, true)?
            && !holds(&retry.except_when, false)?
        {
            return Ok(Decision::Again(delay(retry, attempt)));
        }
        Ok(if catch.tasks.is_empty() {
            Decision::Pass
        } else {
            Decision::Handle
        })
    }
}

/// What becomes of an error.
enum Decision {
    /// It goes on outwards.
    Pass,
    /// The tasks are tried again after this time.
    Again(Duration),
    /// The tasks of the catch run.
    Handle,
}

/// Whether the error has every field that the catch asks for; `*` stands for any type.
fn agrees(catch: &Catch, error: &TaskError) -> bool {
    let Some(filter) = &catch.errors else {
        return true;
    };
    let variable = error.as_variable();
    filter.fields.iter().all(|(field, wanted)| {
        let value = match field.as_str() {
            "detail" | "title" => &variable["message"],
            "instance" => &variable["task"],
            field => &variable[field],
        };
        value == wanted || (field == "type" && wanted == &json!("*"))
    })
}

fn delay(retry: &Retry, attempt: u32) -> Duration {
    // A delay beyond the longest run of a workflow is as good as for ever.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let first = retry.delay.map_or(Duration::ZERO, |span| span.0);
    let factor = match retry.backoff {
        None | Some(Backoff::Constant(_)) => 1,
        Some(Backoff::Linear(_)) => attempt,
        Some(Backoff::Exponential(_)) => 2_u32.saturating_pow(attempt - 1),
    };
    first
        .checked_mul(factor)
        .map_or(LONGEST, |delay| delay.min(LONGEST))
}

/// The error is a variable of the catch alone, unless a task set one of that name.
fn restore(state: &mut State, name: &str, error: &TaskError, before: Option<Arc<Json>>) {
    if state.data.get(name).map(|value| &**value) != Some(&error.as_variable()) {
        return;
    }
    match before {
        Some(value) => state.set(name, value),
        None => drop(state.data.remove(name)),
    }
}
