//! The task queues of the server and of the runners it calls.

use stigmer_api::temporal_names::{
    AGENT_EXECUTION_RUNNER, AGENT_EXECUTION_STIGMER, TaskQueue, WORKFLOW_EXECUTION_RUNNER,
    WORKFLOW_EXECUTION_STIGMER, WORKFLOW_VALIDATION_RUNNER, WORKFLOW_VALIDATION_STIGMER,
};
use stigmer_process::SettingError;

/// Two queues that work together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuePair {
    /// The server's own, for workflows.
    pub server: String,
    /// The runner's, for activities.
    pub runner: String,
}

impl QueuePair {
    fn from_env(server: TaskQueue, runner: TaskQueue) -> Self {
        Self {
            server: server.name(),
            runner: runner.name(),
        }
    }
}

/// The task queues, by what is done through them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskQueues {
    /// Agent executions, run by the agent-runner.
    pub agent_execution: QueuePair,
    /// Workflow executions, run by the workflow-runner.
    pub workflow_execution: QueuePair,
    /// Validations of workflows, made by the workflow-runner.
    pub workflow_validation: QueuePair,
}

impl TaskQueues {
    /// The names in force, see the variables of the [`TaskQueue`]s.
    ///
    /// # Errors
    ///
    /// When two of the server's own queues have one name: their workers would take each other's work.
    pub fn from_env() -> Result<Self, SettingError> {
        let queues = Self {
            agent_execution: QueuePair::from_env(AGENT_EXECUTION_STIGMER, AGENT_EXECUTION_RUNNER),
            workflow_execution: QueuePair::from_env(
                WORKFLOW_EXECUTION_STIGMER,
                WORKFLOW_EXECUTION_RUNNER,
            ),
            workflow_validation: QueuePair::from_env(
                WORKFLOW_VALIDATION_STIGMER,
                WORKFLOW_VALIDATION_RUNNER,
            ),
        };
        queues.different()?;
        Ok(queues)
    }

    /// The queues that this server polls.
    pub fn polled(&self) -> [String; 3] {
        [
            self.agent_execution.server.clone(),
            self.workflow_execution.server.clone(),
            self.workflow_validation.server.clone(),
        ]
    }

    fn different(&self) -> Result<(), SettingError> {
        let [agent, workflow, validation] = self.polled();
        let taken = if workflow == agent {
            (WORKFLOW_EXECUTION_STIGMER, workflow)
        } else if validation == agent || validation == workflow {
            (WORKFLOW_VALIDATION_STIGMER, validation)
        } else {
            return Ok(());
        };
        Err(SettingError {
            variable: taken.0.variable,
            value: taken.1,
            expected: "a queue of its own",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_queue_of_the_server_is_polled_by_one_worker() {
        let pair = |server: &str| QueuePair {
            server: server.to_owned(),
            runner: "runner".to_owned(),
        };
        let queues = |agent, workflow, validation| TaskQueues {
            agent_execution: pair(agent),
            workflow_execution: pair(workflow),
            workflow_validation: pair(validation),
        };
        assert!(queues("a", "b", "c").different().is_ok());
        for (queues, variable) in [
            (
                queues("a", "a", "c"),
                "TEMPORAL_WORKFLOW_EXECUTION_STIGMER_TASK_QUEUE",
            ),
            (
                queues("a", "b", "b"),
                "TEMPORAL_WORKFLOW_VALIDATION_STIGMER_TASK_QUEUE",
            ),
        ] {
            let error = queues.different().unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }
}
