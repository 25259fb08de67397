//! The stream of workflow executions, from its first message to its last.

use std::collections::BTreeMap;

use stigmer_api::{
    Resource,
    agent_execution::ExecutionPhase,
    workflow_execution::{WorkflowExecution, WorkflowTaskStatus},
};
use stigmer_e2e::{
    ensure,
    harness::{
        Broken, Call, CheckError, Environment, Gate, Response, Snapshot, Test, budget::WF, story,
    },
};

use super::watching::{AT_ONCE, compare, phases_of, subscribed};
use crate::{
    given,
    then::{self, Execution, check_phases},
};

/// What the workflow of these tests calls.
pub const CALL: &str = "/slow";

/// An environment with a workflow of one call to the hub and one task after it, and the workflow's id.
pub async fn with_workflow(t: &Test) -> Result<(Environment, String), CheckError> {
    let env = t.environment().without_agent_runner().start().await?;
    let tasks = [
        given::http_get("fetch", &env.hub().url(CALL)),
        given::set("remember", &serde_json::json!({"state": "fetched"})),
    ];
    let workflow = env
        .api()
        .apply(given::workflow("fetch-once", &tasks))
        .await?;
    Ok((env, workflow.id().to_owned()))
}

/// Starts an execution through the API, as the CLI does.
pub async fn start(env: &Environment, workflow: &str, name: &str) -> Result<String, CheckError> {
    let execution = given::workflow_execution(name, workflow);
    Ok(env.api().create(execution).await?.id().to_owned())
}

/// Starts an execution whose call is answered once the returned gate is open, and waits for the call.
pub async fn start_gated(
    env: &Environment,
    workflow: &str,
    name: &str,
) -> Result<(String, Gate), CheckError> {
    let gate = Gate::closed();
    let answer = Response::json(serde_json::json!({"ok": true})).behind(&gate);
    let before = env.hub().open_calls();
    env.hub().expect(Call::get(CALL), answer);
    let id = start(env, workflow, name).await?;
    let called = env.test().eventually("the hub was called", WF, async || {
        given::at_least(before + 1, env.hub().open_calls())
    });
    called.await?;
    Ok((id, gate))
}

/// How far a task is: a later state is a greater number.
fn rank(status: WorkflowTaskStatus) -> i32 {
    // The numbers of the contract go from pending by in progress to the three ways to end.
    (status as i32).min(WorkflowTaskStatus::WorkflowTaskCompleted as i32)
}

/// From snapshot to snapshot, tasks only go on: none goes away, comes twice, or steps back.
pub fn check_tasks_go_on(snapshots: &[Snapshot<WorkflowExecution>]) -> Result<(), Broken> {
    let mut before = BTreeMap::new();
    for snapshot in snapshots {
        let tasks = then::workflow::tasks(&snapshot.resource);
        let now = tasks
            .iter()
            .map(|task| (task.task_id.clone(), task.status()))
            .collect::<BTreeMap<_, _>>();
        ensure!(now.len() == tasks.len(), "a task comes twice: {tasks:?}");
        for (id, status) in &before {
            let later = now.get(id).is_some_and(|now| rank(*now) >= rank(*status));
            ensure!(later, "task {id} was {status:?}, then {:?}", now.get(id));
        }
        before = now;
    }
    Ok(())
}

#[test]
fn str_01_a_subscription_before_the_end_sees_every_phase_and_closes_by_itself() {
    story(async |t| {
        let (env, workflow) = with_workflow(&t).await?;
        let (id, gate) = start_gated(&env, &workflow, "watched").await?;
        t.step("subscribe while the hub has not answered");
        let (watch, first) = subscribed::<WorkflowExecution>(&env, &id).await?;
        assert_eq!(
            first.resource.phase(),
            ExecutionPhase::ExecutionInProgress,
            "the current state comes first"
        );
        t.step("let the hub answer");
        gate.open();
        let mut snapshots = vec![first];
        snapshots.extend(t.until_closed(watch, WF).await?);
        t.step("look at the whole stream");
        let phases = phases_of(&snapshots);
        check_phases(&phases)?;
        assert_eq!(
            phases,
            [
                ExecutionPhase::ExecutionInProgress,
                ExecutionPhase::ExecutionCompleted
            ]
        );
        check_tasks_go_on(&snapshots)?;
        let last = &snapshots[snapshots.len() - 1].resource;
        assert_eq!(
            then::workflow::states(last),
            [("fetch", "completed"), ("remember", "completed")]
        );
        let stored: WorkflowExecution = env.api().get(&id).await?;
        assert_eq!(
            stored.status, last.status,
            "the record is another one than the last message"
        );
        Ok(())
    });
}

#[test]
fn str_02_a_subscription_after_the_end_gets_one_snapshot_and_closes_at_once() {
    story(async |t| {
        let (env, workflow) = with_workflow(&t).await?;
        let (id, gate) = start_gated(&env, &workflow, "over").await?;
        gate.open();
        let finished = then::workflow::completed(&env, &id, WF).await?;
        t.step("subscribe after the end");
        let watch = env.api().subscribe::<WorkflowExecution>(&id).await?;
        let snapshots = t.until_closed(watch, AT_ONCE).await?;
        assert_eq!(snapshots.len(), 1, "{snapshots:?}");
        assert_eq!(snapshots[0].resource, finished.execution);
        Ok(())
    });
}

#[test]
fn str_04_the_stream_agrees_with_polling_and_is_faster() {
    story(async |t| {
        let (env, workflow) = with_workflow(&t).await?;
        let answer = Response::json(serde_json::json!({"ok": true}));
        env.hub().always(Call::get(CALL), answer);
        compare(&env, WF, check_tasks_go_on, async |round| {
            start(&env, &workflow, &format!("round-{round}")).await
        })
        .await?;
        Ok(())
    });
}
