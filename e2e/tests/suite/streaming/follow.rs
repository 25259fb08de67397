//! What the CLI shows of a stream.

use std::collections::BTreeMap;

use stigmer_api::{
    agent_execution::ExecutionPhase,
    workflow_execution::{WorkflowExecution, WorkflowTaskStatus},
};
use stigmer_e2e::harness::{
    Call, CliOutput, Gate, Response, Snapshot, budget::WF, execution_id, story,
};

use super::{
    watching::subscribed,
    workflows::{CALL, with_workflow},
};
use crate::then::{self, Execution};

/// Phases and task states as the CLI shows them, in order.
fn shown(output: &CliOutput) -> Vec<String> {
    let lines = output.stdout.lines();
    let entries = lines.filter_map(|line| {
        let phase = [
            "Execution pending",
            "Execution started",
            "Execution completed",
        ]
        .into_iter()
        .find(|phase| line.contains(phase));
        let task = line.split_once("Task: ").map(|(_, task)| task.trim());
        phase.or(task).map(str::to_owned)
    });
    entries.collect()
}

/// The same of `snapshots`: what each has that the one before has not.
fn told(snapshots: &[Snapshot<WorkflowExecution>]) -> Vec<String> {
    let (mut phase, mut tasks) = (ExecutionPhase::Unspecified, BTreeMap::new());
    let mut entries = Vec::new();
    for snapshot in snapshots {
        let execution = &snapshot.resource;
        let changed = std::mem::replace(&mut phase, execution.phase()) != execution.phase();
        let phase_line = match execution.phase() {
            ExecutionPhase::ExecutionPending => "Execution pending",
            ExecutionPhase::ExecutionInProgress => "Execution started",
            _ => "Execution completed",
        };
        let over = execution.phase() == ExecutionPhase::ExecutionCompleted;
        if changed && !over {
            entries.push(phase_line.to_owned());
        }
        for task in then::workflow::tasks(execution) {
            if tasks.insert(task.task_id.clone(), task.status()) != Some(task.status()) {
                let state = match task.status() {
                    WorkflowTaskStatus::WorkflowTaskPending => "Pending",
                    WorkflowTaskStatus::WorkflowTaskInProgress => "Running",
                    WorkflowTaskStatus::WorkflowTaskCompleted => "Completed",
                    other => panic!("{} is {other:?}", task.task_name),
                };
                entries.push(format!("{} [{state}]", task.task_name));
            }
        }
        if changed && over {
            entries.push(phase_line.to_owned());
        }
    }
    entries
}

#[test]
fn str_10_what_the_cli_shows_is_what_the_stream_tells() {
    story(async |t| {
        let (env, _) = with_workflow(&t).await?;
        let gate = Gate::closed();
        let answer = Response::json(serde_json::json!({"ok": true})).behind(&gate);
        env.hub().expect(Call::get(CALL), answer);
        t.step("follow a run from the terminal and by the API");
        let mut run = env
            .cli()
            .args(["run", "fetch-once"])
            .within(WF.limit)
            .spawn()?;
        let line = run
            .wait_for_line("an execution id", |line| execution_id(line).is_some())
            .await?;
        let id = execution_id(&line.text).unwrap_or_default().to_owned();
        let (watch, first) = subscribed::<WorkflowExecution>(&env, &id).await?;
        run.wait_for_line("the task that waits", |line| {
            line.contains("Task: fetch [Running]")
        })
        .await?;
        gate.open();
        let output = run.finish().await?;
        output.exited_with(0)?;
        let mut snapshots = vec![first];
        snapshots.extend(t.until_closed(watch, WF).await?);
        t.step("compare them");
        let (shown, mut told) = (shown(&output), told(&snapshots));
        // The two may have begun to watch at different moments; which phases were before is known.
        let all = [
            "Execution pending",
            "Execution started",
            "fetch [Running]",
            "fetch [Completed]",
            "remember [Running]",
            "remember [Completed]",
            "Execution completed",
        ];
        let in_order = |entries: &[String]| {
            let places = entries.iter().map(|e| all.iter().position(|a| a == e));
            let places = places.collect::<Vec<_>>();
            places.iter().all(Option::is_some) && places.is_sorted_by(|a, b| a < b)
        };
        assert!(in_order(&shown), "shown twice or out of order: {shown:?}");
        assert!(in_order(&told), "told twice or out of order: {told:?}");
        let from = told.iter().position(|entry| *entry == "fetch [Completed]");
        told.drain(..from.unwrap_or_default());
        assert!(
            shown.ends_with(&told) && !told.is_empty(),
            "the CLI showed {shown:?}, the stream told {told:?}"
        );
        for entry in ["Execution started", "fetch [Running]"] {
            assert!(
                shown.iter().any(|shown| shown == entry),
                "{entry:?} is missing in {shown:?}"
            );
        }
        Ok(())
    });
}
