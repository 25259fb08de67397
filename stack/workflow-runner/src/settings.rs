//! What the process is told by its environment (`docs/contract/processes.md`).

use stigmer_api::temporal_names::{
    WORKFLOW_EXECUTION_RUNNER, WORKFLOW_VALIDATION_RUNNER, ZIGFLOW_EXECUTION,
};
use stigmer_process::SettingError;
use stigmer_runner::{BackendSettings, RunnerSettings, max_concurrency, refused};
use stigmer_temporal::Target;

/// Calls of tasks that run at a time, unless told otherwise. A slow service must not hold up the
/// calls of other workflows.
const DEFAULT_CALLS: usize = 100;

/// Everything the process is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Temporal to work for.
    pub temporal: Target,
    /// The queues to poll.
    pub queues: Queues,
    /// Calls of tasks that run at a time.
    pub max_calls: usize,
    /// The server to report to.
    pub backend: BackendSettings,
}

/// The queues to poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues {
    /// Executions.
    pub execution: String,
    /// Their tasks.
    pub tasks: String,
    /// Validations.
    pub validation: String,
}

impl Queues {
    /// All of them.
    pub fn names(&self) -> [String; 3] {
        [
            self.execution.clone(),
            self.tasks.clone(),
            self.validation.clone(),
        ]
    }
}

impl RunnerSettings for Settings {
    fn temporal(&self) -> &Target {
        &self.temporal
    }

    fn task_queues(&self) -> Vec<String> {
        self.queues.names().into()
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// Names the first variable that cannot be used and what it should hold.
    pub fn from_env() -> anyhow::Result<Self> {
        let queues = Queues {
            execution: WORKFLOW_EXECUTION_RUNNER.name(),
            tasks: ZIGFLOW_EXECUTION.name(),
            validation: WORKFLOW_VALIDATION_RUNNER.name(),
        };
        different(&queues)?;
        Ok(Self {
            queues,
            max_calls: max_concurrency(DEFAULT_CALLS)?,
            backend: BackendSettings::from_env()?,
            temporal: Target::from_env()?,
        })
    }
}

/// Two workers of one process on one queue would take each other's work.
fn different(queues: &Queues) -> Result<(), SettingError> {
    let Queues {
        execution,
        tasks,
        validation,
    } = queues;
    let same = [
        (tasks == execution, ZIGFLOW_EXECUTION.variable, tasks),
        (
            validation == execution || validation == tasks,
            WORKFLOW_VALIDATION_RUNNER.variable,
            validation,
        ),
    ];
    match same.into_iter().find(|(same, ..)| *same) {
        None => Ok(()),
        Some((_, variable, value)) => Err(refused(variable, value.clone(), "a queue of its own")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_queue_is_polled_by_one_worker() {
        let queues = |execution: &str, tasks: &str, validation: &str| Queues {
            execution: execution.to_owned(),
            tasks: tasks.to_owned(),
            validation: validation.to_owned(),
        };
        assert!(different(&queues("a", "b", "c")).is_ok());
        let error = different(&queues("a", "b", "b")).unwrap_err().to_string();
        assert!(
            error.contains("TEMPORAL_WORKFLOW_VALIDATION_RUNNER_TASK_QUEUE")
                && error.contains("a queue of its own"),
            "{error}"
        );
    }
}
