//! How executions go: the message says it.

use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, AgentMessage, MessageType},
    workflow_execution::{WorkflowExecution, WorkflowTask, WorkflowTaskStatus},
};
use tonic::Status;

pub const PENDING: i32 = 1;
const IN_PROGRESS: i32 = 2;
const COMPLETED: i32 = 3;
const FAILED: i32 = 4;
const CANCELLED: i32 = 5;

/// An execution whose message says how it goes.
pub trait Course: Resource + PartialEq {
    fn message(&self) -> &str;
    fn phase(&self) -> i32;
    fn set_phase(&mut self, phase: i32);
    fn set_error(&mut self, error: &str);
    /// Makes it look like `step` steps of three, or all of them, are done.
    fn advance(&mut self, step: usize);

    /// The snapshots that a subscriber gets.
    fn course(self) -> Vec<Result<Self, Status>> {
        let at = |phase: i32, step: usize| {
            let mut execution = self.clone();
            execution.set_phase(phase);
            execution.advance(step);
            execution
        };
        let mut steps = vec![
            Ok(self.clone()),
            Ok(at(IN_PROGRESS, 0)),
            Ok(at(IN_PROGRESS, 1)),
        ];
        match self.message() {
            "fail" => {
                let mut failed = at(FAILED, 1);
                failed.set_error("the model is gone");
                steps.push(Ok(failed));
            }
            "cancel" => steps.push(Ok(at(CANCELLED, 1))),
            "break" => steps.push(Err(Status::unavailable("shutting down"))),
            "stop telling" | "never end" => {}
            _ => steps.extend([Ok(at(IN_PROGRESS, 2)), Ok(at(COMPLETED, 3))]),
        }
        steps
    }
}

impl Course for AgentExecution {
    fn message(&self) -> &str {
        self.spec.as_ref().map_or("", |spec| &spec.message)
    }

    fn phase(&self) -> i32 {
        self.status.as_ref().map_or(0, |status| status.phase)
    }

    fn set_phase(&mut self, phase: i32) {
        self.status.get_or_insert_default().phase = phase;
    }

    fn set_error(&mut self, error: &str) {
        self.status.get_or_insert_default().error = error.to_owned();
    }

    /// The answer grows.
    fn advance(&mut self, step: usize) {
        let answer = ["", "Hello", "Hello you", "Hello you!"][step];
        let human = (MessageType::MessageHuman, self.message().to_owned());
        let messages = [human, (MessageType::MessageAi, answer.to_owned())];
        self.status.get_or_insert_default().messages = messages
            .into_iter()
            .filter(|(_, content)| !content.is_empty())
            .map(|(kind, content)| AgentMessage {
                r#type: kind.into(),
                content,
                ..Default::default()
            })
            .collect();
    }
}

impl Course for WorkflowExecution {
    fn message(&self) -> &str {
        self.spec.as_ref().map_or("", |spec| &spec.trigger_message)
    }

    fn phase(&self) -> i32 {
        self.status.as_ref().map_or(0, |status| status.phase)
    }

    fn set_phase(&mut self, phase: i32) {
        self.status.get_or_insert_default().phase = phase;
    }

    fn set_error(&mut self, error: &str) {
        self.status.get_or_insert_default().error = error.to_owned();
    }

    /// The first task begins, then it is done and the second begins, then that is done, too.
    fn advance(&mut self, step: usize) {
        use WorkflowTaskStatus::{WorkflowTaskCompleted, WorkflowTaskInProgress};
        let states: &[WorkflowTaskStatus] = match step {
            0 => &[],
            1 => &[WorkflowTaskInProgress],
            2 => &[WorkflowTaskCompleted, WorkflowTaskInProgress],
            _ => &[WorkflowTaskCompleted, WorkflowTaskCompleted],
        };
        let task = |(name, state): (&str, &WorkflowTaskStatus)| WorkflowTask {
            task_id: name.to_owned(),
            task_name: name.to_owned(),
            status: (*state).into(),
            ..Default::default()
        };
        let tasks = ["fetch", "store"].into_iter().zip(states).map(task);
        self.status.get_or_insert_default().tasks = tasks.collect();
    }
}
