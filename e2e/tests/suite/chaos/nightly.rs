//! The chaos itself.

use std::{sync::atomic::Ordering, time::Duration};

use stigmer_api::{
    Resource, agent_execution::AgentExecution, workflow_execution::WorkflowExecution,
};
use stigmer_e2e::{
    chaos::{Inflicted, Schedule, unleash, withstands_a_full_disk},
    ensure,
    harness::{Environment, Failure, Probe, StoreError, Test, budget::Budget, story},
};

use super::{
    balance,
    load::{Accepted, Load},
};
use crate::{given, temporal_outage::reconnected, then::is_over};

/// How long the scenario goes on, unless `cargo xtask chaos` says otherwise.
const MINUTES: u64 = 10;

/// How many agents, and how many workflows, are under way at any time.
const AT_ONCE: usize = 3;

/// Who may complain of what happens.
const COMPONENTS: [&str; 4] = [
    "stigmer-server",
    "stigmer-workflow-runner",
    "stigmer-agent-runner",
    "temporal",
];

/// To the end of an execution that suffers: the longest wait of the product for a lost runner (a
/// minute until a task is taken, ten attempts of a workflow), twice over.
pub const END: Budget = Budget {
    name: "CHAOS END",
    limit: Duration::from_secs(180),
};

#[test]
fn ext_04_after_chaos_all_that_was_accepted_has_ended_and_no_side_effect_is_wrong() {
    story(async |t| {
        let minutes = t.session().chaos_minutes.unwrap_or(MINUTES);
        let seed = t.session().seed;
        let again = format!("cargo xtask chaos --seed {seed} --minutes {minutes}");
        t.step(format!("again: {again}"));
        t.fact("chaos_seed", seed);
        for component in COMPONENTS {
            t.allows_errors(component, "it is killed, frozen, cut off, and has no disk");
        }
        let told = |failure: Failure| Failure::new(format!("{failure}\nagain: {again}"));
        chaos(&t, seed, minutes).await.map_err(told)
    });
}

async fn chaos(t: &Test, seed: u64, minutes: u64) -> Result<(), Failure> {
    let schedule = Schedule::of(seed, Duration::from_secs(60 * minutes));
    let builder = t
        .environment()
        .with_own_temporal()
        .over_link()
        .answering("It is done.");
    let env = withstands_a_full_disk(t, builder)?.start().await?;
    // Times at the hub count from its start, those of the chaos from the start of the test.
    env.hub();
    let hub_started = t.elapsed();
    let load = Load::prepare(&env).await?;
    let agents = (0..AT_ONCE).map(|_| load.agents());
    let workflows = (0..AT_ONCE).map(|_| load.workflows());
    let working = async {
        tokio::try_join!(
            futures::future::try_join_all(agents),
            futures::future::try_join_all(workflows),
        )
    };
    t.step(format!(
        "chaos: {} disturbances in {minutes} minutes",
        schedule.planned().len()
    ));
    let inflicted = tokio::select! {
        inflicted = unleash(&env, &schedule) => inflicted?,
        broken = working => return Err(broken.expect_err("work goes on for ever").into()),
    };
    t.step("the chaos is over: everything comes to its end");
    let (asked, ordered) = (load.accepted_agents(), load.accepted_workflows());
    all_ended(t, &env, asked.len() + ordered.len()).await?;
    reconnected(&env).await?;
    t.step("new work is done as ever");
    load.completes().await?;
    settle(t, &env, &load, (&asked, &ordered), hub_started, &inflicted).await
}

/// Waits until no execution is under way.
async fn all_ended(t: &Test, env: &Environment, accepted: usize) -> Result<(), Failure> {
    let look = async || match (
        stored::<AgentExecution>(env),
        stored::<WorkflowExecution>(env),
    ) {
        (Ok(agents), Ok(workflows)) => {
            let agents = agents.iter().filter(|it| !is_over(*it)).map(Resource::id);
            let workflows = workflows.iter().filter(|it| !is_over(*it));
            given::none_of(agents.chain(workflows.map(Resource::id)))
        }
        (Err(error), _) | (_, Err(error)) => Probe::NotYet(error.to_string()),
    };
    let awaited = format!("each of {accepted} accepted executions has ended");
    Ok(t.eventually(awaited, END, look).await?)
}

/// What is owed, against what is there.
async fn settle(
    t: &Test,
    env: &Environment,
    load: &Load,
    (asked, ordered): (&[Accepted], &[Accepted]),
    hub_started: Duration,
    inflicted: &[Inflicted],
) -> Result<(), Failure> {
    let agents: Vec<AgentExecution> = stored(env)?;
    let workflows: Vec<WorkflowExecution> = stored(env)?;
    t.fact("ended", balance::facts(&agents, &workflows));
    t.fact("refused", load.refused.load(Ordering::Relaxed));
    t.fact("disturbances", inflicted.len());
    t.step(format!(
        "{} agents and {} workflows were accepted and have ended: {}",
        asked.len(),
        ordered.len(),
        balance::facts(&agents, &workflows)
    ));
    balance::check_ends(asked, &agents)?;
    balance::check_ends(ordered, &workflows)?;
    for (what, done) in [
        ("agent", balance::completed(&agents)),
        ("workflow", balance::completed(&workflows)),
    ] {
        ensure!(
            done > AT_ONCE,
            "only {done} {what} executions completed in all the time"
        );
    }
    t.step(
        "side effects: the model was asked at most once, the hub called as often as is promised",
    );
    let messages: Vec<_> = env
        .llm()
        .requests()
        .iter()
        .map(|seen| seen.last_user_message().to_owned())
        .collect();
    balance::check_requests(asked, &agents, &messages)?;
    let received = env.hub().received();
    let repeated = balance::check_calls(ordered, &workflows, &received, hub_started, inflicted)?;
    t.fact("hub_calls", received.len());
    t.fact("hub_calls_repeated", repeated);
    t.step("the database is whole");
    let findings = env.store().integrity()?;
    ensure!(findings.is_empty(), "the database is damaged: {findings:?}");
    Ok(())
}

/// Every execution of a kind, from the database.
fn stored<E: Resource>(env: &Environment) -> Result<Vec<E>, StoreError> {
    env.store().all()
}
