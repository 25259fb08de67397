//! Section 3 for workflows: their executions, and the record of their tasks.

use serde_json::Value;
use stigmer_api::{
    agent_execution::ExecutionPhase,
    json::to_json,
    workflow_execution::{WorkflowExecution, WorkflowTask, WorkflowTaskStatus},
};
use stigmer_e2e::{
    ensure,
    harness::{Broken, CheckError, CliOutput, Environment, budget::Budget},
};

use super::executed::{Execution, Finished, ended_of, started_of};

/// The id behind `Execution ID:`: of a workflow execution, and known to the API.
pub async fn started(environment: &Environment, output: &CliOutput) -> Result<String, CheckError> {
    started_of::<WorkflowExecution>(environment, output).await
}

/// Follows an execution within `budget`, as for agents, to the phase COMPLETED. Then no task of it is
/// left pending or in progress, and it says when it began and ended.
pub async fn completed(
    environment: &Environment,
    id: &str,
    budget: Budget,
) -> Result<Finished<WorkflowExecution>, CheckError> {
    let wanted = ExecutionPhase::ExecutionCompleted;
    let finished = ended_of::<WorkflowExecution>(environment, id, budget, wanted).await?;
    check_end(&finished.execution)?;
    let error = finished.execution.error();
    ensure!(error.is_empty(), "{id} is COMPLETED with error {error:?}");
    Ok(finished)
}

/// As [`completed`], but the phase is FAILED, with an error that holds each of `says`.
pub async fn failed(
    environment: &Environment,
    id: &str,
    budget: Budget,
    says: &[&str],
) -> Result<Finished<WorkflowExecution>, CheckError> {
    let wanted = ExecutionPhase::ExecutionFailed;
    let finished = ended_of::<WorkflowExecution>(environment, id, budget, wanted).await?;
    check_end(&finished.execution)?;
    let error = finished.execution.error();
    for text in says {
        ensure!(
            error.contains(text),
            "{id} failed with {error:?}, which does not say {text:?}"
        );
    }
    Ok(finished)
}

/// What holds for the record of every execution that ended.
fn check_end(execution: &WorkflowExecution) -> Result<(), Broken> {
    let status = execution.status.clone().unwrap_or_default();
    let ended = |task: &&WorkflowTask| {
        !matches!(
            task.status(),
            WorkflowTaskStatus::WorkflowTaskCompleted
                | WorkflowTaskStatus::WorkflowTaskFailed
                | WorkflowTaskStatus::WorkflowTaskSkipped
        )
    };
    if let Some(task) = status.tasks.iter().find(ended) {
        return Err(Broken(format!(
            "the execution has ended, its task {} is {:?}",
            task.task_id,
            task.status()
        )));
    }
    // Both are UTC with microseconds, so they sort as texts.
    ensure!(
        !status.started_at.is_empty() && status.started_at <= status.completed_at,
        "it began at {:?} and ended at {:?}",
        status.started_at,
        status.completed_at
    );
    Ok(())
}

/// The records of the tasks.
pub fn tasks(execution: &WorkflowExecution) -> &[WorkflowTask] {
    execution
        .status
        .as_ref()
        .map_or(&[], |status| status.tasks.as_slice())
}

/// The one record of the task `name`.
pub fn task<'a>(execution: &'a WorkflowExecution, name: &str) -> Result<&'a WorkflowTask, Broken> {
    let mut found = tasks(execution)
        .iter()
        .filter(|task| task.task_name == name);
    match (found.next(), found.next()) {
        (Some(task), None) => Ok(task),
        (None, _) => Err(Broken(format!(
            "there is no record of {name} among {:?}",
            states(execution)
        ))),
        (Some(_), Some(_)) => Err(Broken(format!("{name} has more than one record"))),
    }
}

/// What the task `name` gave: an object, or what it gave instead as its `result`.
pub fn output(execution: &WorkflowExecution, name: &str) -> Result<Value, Broken> {
    let task = task(execution, name)?;
    let output = task.output.as_ref();
    output
        .map(to_json)
        .ok_or_else(|| Broken(format!("{name} gave nothing: {task:?}")))
}

/// What the execution as a whole gave.
pub fn result(execution: &WorkflowExecution) -> Result<Value, Broken> {
    let output = execution.status.as_ref().and_then(|s| s.output.as_ref());
    output
        .map(to_json)
        .ok_or_else(|| Broken("the execution has no output".to_owned()))
}

/// The tasks with what became of them, in the order in which they began.
pub fn states(execution: &WorkflowExecution) -> Vec<(&str, &'static str)> {
    let state = |task: &WorkflowTask| match task.status() {
        WorkflowTaskStatus::WorkflowTaskCompleted => "completed",
        WorkflowTaskStatus::WorkflowTaskFailed => "failed",
        WorkflowTaskStatus::WorkflowTaskSkipped => "skipped",
        WorkflowTaskStatus::WorkflowTaskInProgress => "in progress",
        WorkflowTaskStatus::WorkflowTaskPending => "pending",
        WorkflowTaskStatus::Unspecified => "unspecified",
    };
    let tasks = tasks(execution).iter();
    tasks
        .map(|task| (task.task_name.as_str(), state(task)))
        .collect()
}

/// The names of the tasks in `state`, in the order in which they began.
pub fn names_of<'a>(execution: &'a WorkflowExecution, state: &str) -> Vec<&'a str> {
    let states = states(execution).into_iter();
    states
        .filter_map(|(name, found)| (found == state).then_some(name))
        .collect()
}
