//! What is owed after the chaos, and what was had.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use stigmer_api::agent_execution::ExecutionPhase;
use stigmer_e2e::{
    chaos::{Disturbance, Inflicted, Victim},
    ensure,
    harness::{Broken, Received},
};

use super::load::{Accepted, STEPS};
use crate::then::{Execution, is_over};

/// How long a disturbance is felt after its end: clients are still connecting again, and a runner whose
/// signs of life do not arrive is given up after ten seconds.
const ECHO: Duration = Duration::from_secs(10);

/// How executions ended, by phase.
fn tally<E: Execution>(executions: &[E]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for execution in executions {
        *tally.entry(format!("{:?}", execution.phase())).or_default() += 1;
    }
    tally
}

/// Every accepted execution is there, and every execution that is there has ended: well, or with a
/// cause.
pub fn check_ends<E: Execution>(accepted: &[Accepted], stored: &[E]) -> Result<(), Broken> {
    for accepted in accepted {
        ensure!(
            of(accepted, stored).is_some(),
            "{} was accepted, and is not stored",
            accepted.id
        );
    }
    for execution in stored {
        let (id, phase, error) = (execution.id(), execution.phase(), execution.error());
        ensure!(is_over(execution), "{id} is {phase:?}");
        let completed = is_completed(execution);
        ensure!(
            completed == error.is_empty(),
            "{id} is {phase:?} with error {error:?}"
        );
    }
    Ok(())
}

/// Calls of workflows at the hub: what completed made each of its calls, in their order. A call came
/// once, unless something that can lose it happened between its first coming and its last: then at
/// least once. Returns how many came more than once.
pub fn check_calls<E: Execution>(
    accepted: &[Accepted],
    stored: &[E],
    received: &[Received],
    offset: Duration,
    inflicted: &[Inflicted],
) -> Result<usize, Broken> {
    let mut calls: BTreeMap<(String, String), Vec<Duration>> = BTreeMap::new();
    for call in received {
        let mark = call.json()["mark"].as_str().unwrap_or_default().to_owned();
        let step = call.path.trim_start_matches('/').to_owned();
        calls
            .entry((mark, step))
            .or_default()
            .push(call.at + offset);
    }
    let mut repeated = 0;
    for accepted in accepted {
        let completed = of(accepted, stored).is_some_and(is_completed);
        let mut before = Duration::ZERO;
        for step in STEPS {
            let times = calls.get(&(accepted.mark.clone(), step.to_owned()));
            let Some(times) = times else {
                ensure!(
                    !completed,
                    "{} is COMPLETED without call {step}",
                    accepted.id
                );
                break;
            };
            let (first, last) = (times[0], times[times.len() - 1]);
            ensure!(
                before <= first,
                "{} made call {step} before the call before it",
                accepted.id
            );
            before = last;
            if times.len() > 1 {
                repeated += 1;
                ensure!(
                    inflicted.iter().any(|it| can_lose_a_call(it)
                        && it.begin <= last
                        && first <= it.end + ECHO),
                    "{} made call {step} at {times:?}, and nothing happened in between",
                    accepted.id
                );
            }
        }
    }
    Ok(repeated)
}

/// Whether an attempt of a call can be taken for lost by it.
fn can_lose_a_call(inflicted: &Inflicted) -> bool {
    matches!(
        inflicted.disturbance,
        Disturbance::Kill(Victim::WorkflowRunner | Victim::Temporal)
            | Disturbance::Freeze(Victim::WorkflowRunner | Victim::Temporal)
            | Disturbance::Cut
            | Disturbance::Stall
    )
}

/// Requests to the model: at most one for each agent execution, and one for each that completed.
pub fn check_requests<E: Execution>(
    accepted: &[Accepted],
    stored: &[E],
    asked: &[String],
) -> Result<(), Broken> {
    for accepted in accepted {
        let times = asked
            .iter()
            .filter(|message| message.contains(&accepted.mark))
            .count();
        let execution = of(accepted, stored);
        let completed = execution.is_some_and(is_completed);
        ensure!(
            times == 1 || (times == 0 && !completed),
            "the model was asked {times} times for {}, which is {:?}",
            accepted.id,
            execution.map(Execution::phase)
        );
    }
    Ok(())
}

/// How many of them completed.
pub fn completed<E: Execution>(executions: &[E]) -> usize {
    executions.iter().filter(|it| is_completed(*it)).count()
}

fn is_completed(execution: &impl Execution) -> bool {
    execution.phase() == ExecutionPhase::ExecutionCompleted
}

fn of<'e, E: Execution>(accepted: &Accepted, stored: &'e [E]) -> Option<&'e E> {
    stored
        .iter()
        .find(|execution| execution.id() == accepted.id)
}

/// The tally of both kinds, for the report.
pub fn facts<A: Execution, W: Execution>(agents: &[A], workflows: &[W]) -> Value {
    json!({"agents": tally(agents), "workflows": tally(workflows)})
}
