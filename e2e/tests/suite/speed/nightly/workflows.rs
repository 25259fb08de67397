//! Workflow executions beside the same steps written directly.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::json;
use stigmer_api::{
    Resource,
    temporal_names::{serverless_workflow_id, workflow_execution_workflow_id},
    workflow::Workflow,
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::{
    ensure,
    harness::{Benchmark, CheckError, Environment, Failure, Test, budget::Budget, story},
};

use super::{
    cost::Costs,
    direct::{Direct, Shape},
    ended::seen,
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

/// Creates an execution; returns its id, and the time from the create call to the end as a subscriber
/// sees it.
async fn execute(
    env: &Environment,
    workflow: &str,
    name: &str,
) -> Result<(String, Duration), CheckError> {
    let start = Instant::now();
    let execution = env
        .api()
        .create(given::workflow_execution(name, workflow))
        .await?;
    let ended = seen::<WorkflowExecution>(env, execution.id()).await?;
    Ok((execution.id().to_owned(), ended - start))
}

/// Neither workflow of an execution goes through a queue for its first task.
async fn first_tasks_came_with_the_start(env: &Environment, id: &str) -> Result<(), CheckError> {
    for workflow in [
        workflow_execution_workflow_id(id),
        serverless_workflow_id(id),
    ] {
        let history = env.temporal().history(&workflow).await?;
        ensure!(
            history.contains("\"eager_execution_accepted\":true"),
            "{workflow} was not started eagerly"
        );
    }
    Ok(())
}

async fn directly(direct: &Direct, id: &str, shape: Shape) -> Result<Duration, CheckError> {
    let start = Instant::now();
    direct.run(id, shape).await?;
    Ok(start.elapsed())
}

/// The direct ways beside which the stack is put, in words.
const SHAPES: [(Shape, &str); 3] = [
    (Shape::Bare, "one workflow"),
    (
        Shape::Reporting,
        "one workflow, each step reported by an activity",
    ),
    (Shape::InTwo, "two workflows, as the contract prescribes"),
];

#[test]
fn ext_03_ten_set_tasks_beside_the_same_steps_written_directly() {
    story(async |t| {
        let (env, workflow) = ten_sets(&t).await?;
        let direct = Direct::start(&env).await?;
        let mut run = Benchmark::new(
            "workflow run",
            "ten SET tasks, from the create call to COMPLETED seen in the stream",
            "the same steps as one bare workflow that keeps them to itself",
        );
        let mut stack = Vec::new();
        let mut anchors = SHAPES.map(|_| Vec::new());
        for round in 0..ROUNDS {
            let (id, took) = execute(&env, &workflow, &format!("round-{round}")).await?;
            then::workflow::completed(&env, &id, MANY).await?;
            first_tasks_came_with_the_start(&env, &id).await?;
            stack.push(took);
            for ((shape, _), times) in SHAPES.iter().zip(&mut anchors) {
                times.push(directly(&direct, &format!("{shape:?}-{round}"), *shape).await?);
            }
        }
        direct.stop().await?;
        for (time, bare) in stack.iter().zip(&anchors[0]) {
            run.round(*time, *bare);
        }
        t.benchmark(run);
        t.fact("stack", spread(&stack));
        for ((_, words), times) in SHAPES.iter().zip(&anchors) {
            t.fact(words, spread(times));
            let ratio = ratio(quantile(&stack, 0.5), quantile(times, 0.5));
            t.fact(&format!("ratio to {words}"), ratio);
        }
        Ok(())
    });
}

#[test]
fn two_hundred_executions_at_once_all_end_beside_raw_temporal() {
    story(async |t| {
        let (env, workflow) = ten_sets(&t).await?;
        let direct = Direct::start(&env).await?;
        let costs = Costs::of(&env)?;
        let names: Vec<String> = (0..AT_ONCE).map(|n| format!("many-{n}")).collect();
        let rate = |start: Instant| AT_ONCE as f64 / start.elapsed().as_secs_f64();
        t.step("two hundred through the stack");
        let (start, before) = (Instant::now(), costs.now()?);
        let ended = try_join_all(names.iter().map(|name| execute(&env, &workflow, name))).await?;
        let stack = rate(start);
        let (ids, times): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        t.fact("stack", spread(&times));
        t.fact("stack per second", stack);
        t.fact("stack, processor ms each", costs.each(&before, AT_ONCE)?);
        for id in &ids {
            then::workflow::completed(&env, id, MANY).await?;
        }
        for (shape, words) in SHAPES {
            t.step(format!("two hundred directly: {words}"));
            let ids: Vec<String> = names
                .iter()
                .map(|name| format!("{name}-{shape:?}"))
                .collect();
            let (start, before) = (Instant::now(), costs.now()?);
            try_join_all(ids.iter().map(|id| directly(&direct, id, shape))).await?;
            let raw = rate(start);
            t.fact(&format!("{words}, per second"), raw);
            let each = costs.each(&before, AT_ONCE)?;
            t.fact(&format!("{words}, processor ms each"), each);
            t.fact(&format!("share of {words}"), ratio(stack, raw));
        }
        direct.stop().await?;
        Ok(())
    });
}
