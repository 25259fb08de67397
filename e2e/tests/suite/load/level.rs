//! One level: so many at once, until enough of them have ended.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use stigmer_api::{
    agent_execution::{AgentExecution, ExecutionPhase},
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::{
    harness::{Broken, CheckError, Environment, StoreError},
    load::Timed,
};
use stigmer_e2e_plan::Mix;
use tokio::time::timeout;

use super::work::{Work, kind_of};
use crate::then::Execution;

/// The least number of executions of a level: with fewer a 99th percentile says little.
const LEAST: usize = 100;

/// To the end of everything that a level has accepted: at the least a call of one second for each of a
/// thousand at once on one core, and the product's own limits on top.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// How many are executed at a level.
pub fn count(at_once: usize) -> usize {
    at_once.max(LEAST)
}

/// Executes a mix on the stack, `at_once` at a time: who has seen the end of one begins the next.
///
/// # Errors
///
/// When one is refused, or not COMPLETED when all have ended or the deadline is over; they are named.
pub async fn on_the_stack(
    env: &Environment,
    work: &Work,
    mix: Mix,
    at_once: usize,
) -> Result<Timed, CheckError> {
    let accepted = RefCell::new(Vec::new());
    let what = format!("executions of {mix} on the stack, {at_once} at once");
    let one = async |n: usize| {
        let kind = kind_of(mix, n);
        let begin = Instant::now();
        let id = work.begin(kind, &format!("{mix}-{at_once}-{n}")).await?;
        accepted.borrow_mut().push(id.clone());
        let completed = work.completed(kind, &id).await?;
        Ok(completed.then(|| begin.elapsed()))
    };
    let timed = timeout(DEADLINE, at_a_time(&what, at_once, one)).await;
    all_completed(env, &accepted.into_inner())?;
    timed.map_err(|_| Broken(format!("{what}: not over within {DEADLINE:?}")))?
}

/// Runs the counterparts of a mix as bare Temporal workflows, `at_once` at a time.
pub async fn on_temporal(work: &Work, mix: Mix, at_once: usize) -> Result<Timed, CheckError> {
    let what = format!("bare workflows in place of {mix}, {at_once} at once");
    let one = async |n: usize| {
        let begin = Instant::now();
        let id = format!("bare-{mix}-{at_once}-{n}");
        work.directly(kind_of(mix, n), &id).await?;
        Ok(Some(begin.elapsed()))
    };
    at_a_time(&what, at_once, one).await
}

/// Does `one` thing again and again, `at_once` at a time, until there are enough, or until it says nothing:
/// then what was begun is ended, and nothing more begun.
pub async fn at_a_time(
    what: &str,
    at_once: usize,
    one: impl AsyncFn(usize) -> Result<Option<Duration>, CheckError>,
) -> Result<Timed, CheckError> {
    let (next, times) = (Cell::new(0), RefCell::new(Vec::new()));
    let client = async || {
        while next.get() < count(at_once) {
            let n = next.replace(next.get() + 1);
            match one(n).await? {
                Some(time) => times.borrow_mut().push(time),
                None => next.set(usize::MAX),
            }
        }
        Ok::<_, CheckError>(())
    };
    let begin = Instant::now();
    try_join_all((0..at_once).map(|_| client())).await?;
    Ok(Timed::of(what, &times.into_inner(), begin.elapsed()))
}

/// Every accepted execution is stored, and COMPLETED.
fn all_completed(env: &Environment, accepted: &[String]) -> Result<(), CheckError> {
    let mut stored = stored::<AgentExecution>(env)?;
    stored.extend(self::stored::<WorkflowExecution>(env)?);
    let wrong = not_completed(accepted, &stored);
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Broken(format!(
            "{} of {} accepted executions are not COMPLETED: {}",
            wrong.len(),
            accepted.len(),
            wrong.join(", ")
        ))
        .into()),
    }
}

/// How an execution stands, and why.
type State = (ExecutionPhase, String);

fn stored<E: Execution>(env: &Environment) -> Result<BTreeMap<String, State>, StoreError> {
    let all = env.store().all::<E>()?.into_iter();
    Ok(all
        .map(|it| (it.id().to_owned(), (it.phase(), it.error().to_owned())))
        .collect())
}

/// Those of `accepted` that are not COMPLETED, each with how it stands.
fn not_completed(accepted: &[String], stored: &BTreeMap<String, State>) -> Vec<String> {
    let state = |id: &String| match stored.get(id) {
        None => Some(format!("{id} (not stored)")),
        Some((ExecutionPhase::ExecutionCompleted, _)) => None,
        Some((phase, error)) => Some(format!("{id} ({phase:?} {error:?})")),
    };
    accepted.iter().filter_map(state).collect()
}
