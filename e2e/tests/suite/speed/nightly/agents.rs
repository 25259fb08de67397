//! An agent execution beside a bare workflow with one activity.

use std::time::{Duration, Instant};

use serde_json::Value;
use stigmer_api::{Resource, agent::Agent, agent_execution::AgentExecution, json::to_json};
use stigmer_e2e::harness::{Benchmark, Reply, budget::AGENT, story};

use super::{
    direct::{Direct, Shape},
    ended::seen,
};
use crate::{given, then};

/// What its model calls took, as its messages say.
fn model_time(execution: &AgentExecution) -> Duration {
    let record = to_json(execution);
    let messages = record["status"]["messages"].as_array();
    let calls = messages
        .into_iter()
        .flatten()
        .filter_map(|message| message["metadata"]["ms_total"].as_f64());
    Duration::from_secs_f64(calls.sum::<f64>() / 1000.0)
}

#[test]
fn ext_03_an_agent_runs_beside_a_bare_workflow_with_one_activity() {
    story(async |t| {
        const ROUNDS: usize = 30;
        let env = t.environment().start().await?;
        env.llm().answer_any(Reply::text("Four."));
        let agent: Agent = env
            .api()
            .apply(given::agent("quick", "Answer in one word."))
            .await?;
        let direct = Direct::start(&env).await?;
        let mut run = Benchmark::new(
            "agent run",
            "from the create call to COMPLETED seen in the stream, without the model's time",
            "one bare workflow with one activity",
        );
        for round in 0..ROUNDS {
            let begin = Instant::now();
            let execution = given::execution(&format!("run-{round}"), agent.id(), "Two and two?");
            let execution = env.api().create(execution).await?;
            let ended = seen::<AgentExecution>(&env, execution.id()).await?;
            let record = then::completed(&env, execution.id(), AGENT)
                .await?
                .execution;
            let took = (ended - begin).saturating_sub(model_time(&record));
            let begin = Instant::now();
            direct.run(&format!("bare-{round}"), Shape::Calling).await?;
            run.round(took, begin.elapsed());
        }
        direct.stop().await?;
        t.benchmark(run);
        t.fact("model", Value::from(env.llm().model()));
        Ok(())
    });
}
