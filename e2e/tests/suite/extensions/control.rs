//! Workflows that others influence while they run: nested ones, signals, cancellation (EXT-06).

use serde_json::{Value, json};
use stigmer_api::{
    Resource,
    agent_execution::ExecutionPhase,
    temporal_names::{serverless_workflow_id, workflow::SERVERLESS_WORKFLOW},
    workflow_execution::{WorkflowExecution, WorkflowExecutionStatus, WorkflowTaskStatus},
};
use stigmer_e2e::harness::{
    Call, CheckError, Environment, Gate, Probe, Response, Test, budget::WF, story,
};

use crate::{
    given,
    then::{self, Execution},
};

const CALL: &str = "/inner";

/// An environment with a workflow that runs another one, which calls the hub; the id of the outer one.
async fn with_nested(t: &Test) -> Result<(Environment, String), CheckError> {
    let env = t.environment().without_agent_runner().start().await?;
    let inner = [
        given::http_get("fetch", &env.hub().url(CALL)),
        given::set("greet", &json!({"greeting": "Hello, ${ $input.name }!"})),
    ];
    env.api().apply(given::workflow("inner", &inner)).await?;
    let outer = [
        given::task(
            "runInner",
            "RUN",
            json!({"workflow": "inner", "input": {"name": "Ada"}}),
        ),
        given::set(
            "remember",
            &json!({"answer": "${ $data.runInner.greeting }"}),
        ),
    ];
    let outer = env.api().apply(given::workflow("outer", &outer)).await?;
    Ok((env, outer.id().to_owned()))
}

async fn start(env: &Environment, workflow: &str) -> Result<String, CheckError> {
    let execution = given::workflow_execution("under-control", workflow);
    Ok(env.api().create(execution).await?.id().to_owned())
}

/// The state in Temporal of every workflow that interprets tasks, by its id.
async fn interpreters(env: &Environment) -> Result<Vec<(String, String)>, String> {
    let all = env.temporal().workflows().await;
    let all = all.map_err(|error| error.to_string())?;
    let all = all
        .into_iter()
        .filter(|workflow| workflow.workflow_type == SERVERLESS_WORKFLOW);
    let mut states = all
        .map(|workflow| (workflow.workflow_id, workflow.status))
        .collect::<Vec<_>>();
    states.sort();
    Ok(states)
}

/// Waits until the interpreters of `id` and of what it runs are all in `state`.
async fn all_in(env: &Environment, id: &str, count: usize, state: &str) -> Result<(), CheckError> {
    let own = serverless_workflow_id(id);
    let waiting = env.test().eventually(
        format!("{count} interpreting workflows are {state}"),
        WF,
        async || match interpreters(env).await {
            Ok(all)
                if all.len() == count
                    && all
                        .iter()
                        .all(|(id, is)| id.starts_with(&own) && is == state) =>
            {
                Probe::Done(())
            }
            Ok(all) => Probe::NotYet(format!("{all:?}")),
            Err(error) => Probe::NotYet(error),
        },
    );
    Ok(waiting.await?)
}

#[test]
fn ext_06_a_nested_workflow_gives_its_result_to_the_one_that_runs_it() {
    story(async |t| {
        let (env, outer) = with_nested(&t).await?;
        env.hub()
            .expect(Call::get(CALL), Response::json(json!({"ok": true})));
        let id = start(&env, &outer).await?;
        let finished = then::workflow::completed(&env, &id, WF).await?;
        assert_eq!(
            then::workflow::output(&finished.execution, "remember")?,
            json!({"answer": "Hello, Ada!"})
        );
        t.step("there is one execution, and in Temporal a workflow of its own for each");
        let listed = env.api().executions_of_workflow(&outer).await?;
        assert_eq!(listed.len(), 1);
        all_in(&env, &id, 2, "Completed").await?;
        Ok(())
    });
}

#[test]
fn ext_06_a_signal_lets_a_workflow_that_listens_go_on() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let tasks = [
            given::task(
                "awaitDecision",
                "LISTEN",
                json!({"to": {"mode": "one", "signals": [{"id": "approved", "type": "signal"}]}}),
            ),
            given::set("remember", &json!({"by": "${ $data.awaitDecision.by }"})),
        ];
        let workflow = env.api().apply(given::workflow("decision", &tasks)).await?;
        let id = start(&env, workflow.id()).await?;
        t.eventually("it listens", WF, async || {
            let execution = env.api().get::<WorkflowExecution>(&id).await;
            match execution.map(|e| then::workflow::task(&e, "awaitDecision").map(|t| t.status())) {
                Ok(Ok(WorkflowTaskStatus::WorkflowTaskInProgress)) => Probe::Done(()),
                other => Probe::NotYet(format!("{other:?}")),
            }
        })
        .await?;
        t.step("another signal changes nothing");
        let interpreter = serverless_workflow_id(&id);
        let signal = async |name: &str, value: Value| {
            env.temporal().signal(&interpreter, name, &value).await
        };
        signal("rejected", json!({"by": "nobody"})).await?;
        env.ping(WF.limit).await?;
        let waiting: WorkflowExecution = env.api().get(&id).await?;
        assert_eq!(waiting.phase(), ExecutionPhase::ExecutionInProgress);
        t.step("the right one ends the wait, and its value is there");
        signal("approved", json!({"by": "Ada"})).await?;
        let finished = then::workflow::completed(&env, &id, WF).await?;
        assert_eq!(
            then::workflow::output(&finished.execution, "remember")?,
            json!({"by": "Ada"})
        );
        Ok(())
    });
}

#[test]
fn ext_06_a_cancelled_execution_ends_with_all_it_runs() {
    story(async |t| {
        let (env, outer) = with_nested(&t).await?;
        let gate = Gate::closed();
        let answer = Response::json(json!({"ok": true})).behind(&gate);
        env.hub().expect(Call::get(CALL), answer);
        let id = start(&env, &outer).await?;
        t.eventually("the hub was called", WF, async || {
            given::at_least(1, env.hub().open_calls())
        })
        .await?;
        t.step("cancel it while the nested workflow's call is open");
        let watch = env.api().subscribe::<WorkflowExecution>(&id).await?;
        let cancelled = WorkflowExecutionStatus {
            phase: ExecutionPhase::ExecutionCancelled as i32,
            ..Default::default()
        };
        env.api().update_workflow_status(&id, cancelled).await?;
        let snapshots = t.until_closed(watch, WF).await?;
        let last = snapshots.last().map(|last| last.resource.phase());
        assert_eq!(last, Some(ExecutionPhase::ExecutionCancelled));
        t.step("both workflows are cancelled, and the call is given up");
        all_in(&env, &id, 2, "Canceled").await?;
        t.eventually("no call is open", WF, async || {
            match env.hub().open_calls() {
                0 => Probe::Done(()),
                open => Probe::NotYet(format!("{open} calls are open")),
            }
        })
        .await?;
        t.step("what comes too late changes nothing");
        gate.open();
        env.ping(WF.limit).await?;
        let stored: WorkflowExecution = env.api().get(&id).await?;
        assert_eq!(stored.phase(), ExecutionPhase::ExecutionCancelled);
        assert_eq!(
            then::workflow::states(&stored),
            [("runInner", "skipped"), ("remember", "skipped")]
        );
        let after = then::workflow::task(&stored, "remember")?;
        assert!(after.started_at.is_empty(), "it was begun: {after:?}");
        Ok(())
    });
}
