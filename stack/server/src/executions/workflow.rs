//! Workflow executions as executions.

use std::{collections::HashMap, sync::Arc};

use stigmer_api::{
    execution_context::ExecutionValue,
    temporal_names::workflow_execution_workflow_id,
    time::rfc3339_now,
    workflow_execution::{
        WorkflowExecution, WorkflowExecutionStatus, WorkflowTask, WorkflowTaskStatus,
    },
};

use super::{
    Broker, Execution, Job,
    execution::{Progress, Status},
};
use crate::state::Brokers;

impl Execution for WorkflowExecution {
    type Status = WorkflowExecutionStatus;

    fn status_mut(&mut self) -> &mut WorkflowExecutionStatus {
        self.status.get_or_insert_default()
    }

    fn runtime_env_mut(&mut self) -> &mut HashMap<String, ExecutionValue> {
        &mut self.spec.get_or_insert_default().runtime_env
    }

    fn workflow_id(execution_id: &str) -> String {
        workflow_execution_workflow_id(execution_id)
    }

    fn broker(brokers: &Brokers) -> &Arc<Broker<Self>> {
        &brokers.workflow_executions
    }

    fn into_job(self) -> Job {
        Job::Workflow(self)
    }
}

impl Status for WorkflowExecutionStatus {
    fn progress(&mut self) -> Progress<'_> {
        Progress {
            phase: &mut self.phase,
            error: &mut self.error,
            started_at: &mut self.started_at,
            completed_at: &mut self.completed_at,
        }
    }

    fn take_contents(&mut self, update: Self) {
        for (index, task) in update.tasks.into_iter().enumerate() {
            take_task(&mut self.tasks, task, index);
        }
        if update.output.is_some() {
            self.output = update.output;
        }
        if !update.temporal_workflow_id.is_empty() {
            self.temporal_workflow_id = update.temporal_workflow_id;
        }
    }

    fn settle(&mut self, cause: &str) {
        for task in self.tasks.iter_mut().filter(|task| !has_ended(task)) {
            task.set_status(WorkflowTaskStatus::WorkflowTaskSkipped);
            cause.clone_into(&mut task.error);
            task.completed_at = rfc3339_now();
        }
    }

    /// The error says it all.
    fn append_note(&mut self, _text: &str) {}

    fn failure_hint(&self) -> String {
        let failed = |task: &&WorkflowTask| {
            task.status() == WorkflowTaskStatus::WorkflowTaskFailed && !task.error.is_empty()
        };
        self.tasks
            .iter()
            .rfind(failed)
            .map_or_else(String::new, |task| {
                format!("task '{}': {}", name_of(task), task.error)
            })
    }
}

/// Puts a reported task in the place of the one with its id, else behind all others. Runners report
/// the whole list or one task at a time; neither may lose what is known of the others.
fn take_task(tasks: &mut Vec<WorkflowTask>, task: WorkflowTask, likely: usize) {
    let is_it = |known: &WorkflowTask| id_of(known) == id_of(&task);
    let place = match tasks.get(likely).is_some_and(is_it) {
        true => Some(likely),
        false => tasks.iter().position(is_it),
    };
    match place {
        Some(place) => tasks[place] = completed(task, &tasks[place]),
        None => tasks.push(completed(task, &WorkflowTask::default())),
    }
}

/// The reported task, with what it leaves out of how it began and when it ended.
fn completed(mut task: WorkflowTask, known: &WorkflowTask) -> WorkflowTask {
    let next_round = has_ended(known) && !has_ended(&task);
    if !next_round {
        keep(&mut task.started_at, &known.started_at);
        keep(&mut task.completed_at, &known.completed_at);
        if task.input.is_none() {
            task.input.clone_from(&known.input);
        }
    }
    let in_progress = task.status() == WorkflowTaskStatus::WorkflowTaskInProgress;
    if in_progress && task.started_at.is_empty() {
        task.started_at = rfc3339_now();
    }
    if has_ended(&task) && !task.started_at.is_empty() && task.completed_at.is_empty() {
        task.completed_at = rfc3339_now();
    }
    task
}

fn keep(new: &mut String, known: &str) {
    if new.is_empty() {
        known.clone_into(new);
    }
}

fn has_ended(task: &WorkflowTask) -> bool {
    use WorkflowTaskStatus::{WorkflowTaskCompleted, WorkflowTaskFailed, WorkflowTaskSkipped};
    matches!(
        task.status(),
        WorkflowTaskCompleted | WorkflowTaskFailed | WorkflowTaskSkipped
    )
}

fn id_of(task: &WorkflowTask) -> &str {
    match task.task_id.as_str() {
        "" => &task.task_name,
        id => id,
    }
}

fn name_of(task: &WorkflowTask) -> &str {
    match task.task_name.as_str() {
        "" => &task.task_id,
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::json::to_struct;

    use super::*;
    use crate::executions::{Phase, merge};

    use WorkflowTaskStatus::{
        WorkflowTaskCompleted as Completed, WorkflowTaskFailed as Failed,
        WorkflowTaskInProgress as InProgress, WorkflowTaskSkipped as Skipped,
    };

    fn task(id: &str, status: WorkflowTaskStatus) -> WorkflowTask {
        WorkflowTask {
            task_id: id.to_owned(),
            task_name: id.to_owned(),
            status: status as i32,
            ..Default::default()
        }
    }

    fn report(tasks: Vec<WorkflowTask>) -> WorkflowExecutionStatus {
        WorkflowExecutionStatus {
            phase: Phase::InProgress.number(),
            tasks,
            ..Default::default()
        }
    }

    fn states(status: &WorkflowExecutionStatus) -> Vec<(&str, WorkflowTaskStatus)> {
        status
            .tasks
            .iter()
            .map(|task| (task.task_id.as_str(), task.status()))
            .collect()
    }

    fn merged(
        reports: impl IntoIterator<Item = WorkflowExecutionStatus>,
    ) -> WorkflowExecutionStatus {
        let start = WorkflowExecutionStatus::default();
        reports.into_iter().fold(start, |stored, update| {
            merge::merge(&stored, update).unwrap()
        })
    }

    #[test]
    fn one_task_at_a_time_or_all_of_them_give_the_same_record() {
        let single = merged([
            report(vec![task("a", InProgress)]),
            report(vec![task("a", Completed)]),
            report(vec![task("b", InProgress)]),
            report(vec![task("b", Failed)]),
        ]);
        let whole = merged([
            report(vec![task("a", InProgress)]),
            report(vec![task("a", Completed), task("b", InProgress)]),
            report(vec![task("a", Completed), task("b", Failed)]),
        ]);
        for status in [single, whole] {
            assert_eq!(states(&status), [("a", Completed), ("b", Failed)]);
        }
    }

    #[test]
    fn a_report_of_the_end_keeps_how_the_task_began() {
        let mut begun = task("a", InProgress);
        begun.input = Some(to_struct(serde_json::Map::new()));
        let status = merged([report(vec![begun]), report(vec![task("a", Completed)])]);
        let [done] = status.tasks.as_slice() else {
            panic!("one task, got {:?}", status.tasks)
        };
        assert!(
            done.input.is_some() && !done.started_at.is_empty(),
            "{done:?}"
        );
        assert!(done.started_at <= done.completed_at, "{done:?}");
        // To say it again changes nothing.
        let again = merge::merge(&status, report(vec![task("a", Completed)])).unwrap();
        assert_eq!(again, status);
    }

    #[test]
    fn a_task_that_begins_again_forgets_its_last_round() {
        let mut first = task("a", Failed);
        first.error = "once".to_owned();
        first.completed_at = "2026-01-01T00:00:00Z".to_owned();
        let status = merged([report(vec![first]), report(vec![task("a", InProgress)])]);
        let again = &status.tasks[0];
        assert_eq!(
            (again.error.as_str(), again.completed_at.as_str()),
            ("", "")
        );
    }

    #[test]
    fn an_end_by_the_server_leaves_no_task_in_progress() {
        let stored = merged([report(vec![task("a", Completed), task("b", InProgress)])]);
        let ended = merge::end(&stored, Phase::Failed, "the runner is lost").unwrap();
        assert_eq!(states(&ended), [("a", Completed), ("b", Skipped)]);
        assert_eq!(ended.tasks[1].error, "the runner is lost");
    }

    #[test]
    fn a_failure_without_a_cause_has_that_of_its_last_failed_task() {
        let mut failed = task("fetch", Failed);
        failed.error = "connection refused".to_owned();
        let mut update = report(vec![failed]);
        update.phase = Phase::Failed.number();
        let status = merged([update]);
        assert_eq!(status.error, "task 'fetch': connection refused");
    }

    #[test]
    fn a_cancelled_execution_takes_the_last_account_of_its_runner() {
        let running = merged([report(vec![task("a", Completed), task("b", InProgress)])]);
        let cancel = || WorkflowExecutionStatus {
            phase: Phase::Cancelled.number(),
            ..Default::default()
        };
        let cancelled = merge::merge(&running, cancel()).unwrap();
        assert_eq!(states(&cancelled), [("a", Completed), ("b", Skipped)]);
        let mut account = cancel();
        account.error = "cancelled".to_owned();
        account.tasks = vec![task("b", Completed), task("c", Skipped)];
        let settled = merge::merge(&cancelled, account).unwrap();
        assert_eq!(
            states(&settled),
            [("a", Completed), ("b", Completed), ("c", Skipped)]
        );
        assert_eq!(
            (&settled.error, &settled.completed_at),
            (&cancelled.error, &cancelled.completed_at)
        );
        assert!(merge::merge(&settled, report(vec![task("d", InProgress)])).is_err());
    }
}
