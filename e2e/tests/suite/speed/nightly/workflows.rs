//! Workflow executions beside the same steps written directly.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::json;
use stigmer_api::{Resource, workflow::Workflow};
use stigmer_e2e::harness::{CheckError, Environment, Failure, Test, budget::Budget, story};

use super::{
    direct::Direct,
    spread::{quantile, ratio, spread},
};
use crate::{given, then};

/// What two hundred at once may take.
const MANY: Budget = Budget {
    name: "MANY",
    limit: Duration::from_secs(300),
};
/// How often one at a time is measured.
const ROUNDS: usize = 30;
const AT_ONCE: usize = 200;

/// An environment with a workflow of ten SET tasks, and its id.
async fn ten_sets(t: &Test) -> Result<(Environment, String), Failure> {
    let env = t.environment().start().await?;
    let tasks: Vec<_> = (1..=10)
        .map(|step| given::set(&format!("step{step}"), &json!({"value": step.to_string()})))
        .collect();
    let workflow: Workflow = env.api().apply(given::workflow("ten-sets", &tasks)).await?;
    Ok((env, workflow.id().to_owned()))
}

/// From the create call to the terminal record.
async fn execute(env: &Environment, workflow: &str, name: &str) -> Result<Duration, CheckError> {
    let start = Instant::now();
    let execution = env
        .api()
        .create(given::workflow_execution(name, workflow))
        .await?;
    then::workflow::completed(env, execution.id(), MANY).await?;
    Ok(start.elapsed())
}

async fn directly(direct: &Direct, id: &str, reported: bool) -> Result<Duration, CheckError> {
    let start = Instant::now();
    direct.run(id, reported).await?;
    Ok(start.elapsed())
}

#[test]
fn ten_set_tasks_beside_the_same_steps_written_directly() {
    story(async |t| {
        let (env, workflow) = ten_sets(&t).await?;
        let direct = Direct::start(&env).await?;
        let (mut stack, mut bare, mut reporting) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            stack.push(execute(&env, &workflow, &format!("round-{round}")).await?);
            bare.push(directly(&direct, &format!("bare-{round}"), false).await?);
            reporting.push(directly(&direct, &format!("reporting-{round}"), true).await?);
        }
        direct.stop().await?;
        let median = |times: &[Duration]| quantile(times, 0.5);
        t.fact("stack", spread(&stack));
        t.fact("direct, nothing reported", spread(&bare));
        t.fact(
            "direct, each step reported by an activity",
            spread(&reporting),
        );
        t.fact(
            "ratio to nothing reported",
            ratio(median(&stack), median(&bare)),
        );
        t.fact(
            "ratio to each step reported",
            ratio(median(&stack), median(&reporting)),
        );
        Ok(())
    });
}

#[test]
fn two_hundred_executions_at_once_all_end_beside_raw_temporal() {
    story(async |t| {
        let (env, workflow) = ten_sets(&t).await?;
        let direct = Direct::start(&env).await?;
        t.step("two hundred through the stack");
        let start = Instant::now();
        let names: Vec<String> = (0..AT_ONCE).map(|n| format!("many-{n}")).collect();
        let stack = try_join_all(names.iter().map(|name| execute(&env, &workflow, name))).await?;
        let stack_rate = AT_ONCE as f64 / start.elapsed().as_secs_f64();
        t.step("two hundred directly");
        let start = Instant::now();
        let raw = try_join_all(names.iter().map(|id| directly(&direct, id, false))).await?;
        let raw_rate = AT_ONCE as f64 / start.elapsed().as_secs_f64();
        direct.stop().await?;
        t.fact("stack", spread(&stack));
        t.fact("raw", spread(&raw));
        t.fact("stack per second", stack_rate);
        t.fact("raw per second", raw_rate);
        t.fact("share of the raw rate", ratio(stack_rate, raw_rate));
        Ok(())
    });
}
