//! The sub-agents that worked on parts of the task.

use serde_json::{Map, json};
use stigmer_api::{
    agent_execution::{SubAgentExecution, SubAgentStatus},
    json::to_struct,
    time::rfc3339_now,
};

use super::{Transcript, UNFINISHED};

/// The longest input or output of a sub-agent that stays on record, in characters.
const LONGEST_TEXT: usize = 64 * 1024;

/// A run of a sub-agent on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubAgentKey(usize);

impl Transcript {
    /// The sub-agent `name` begins with `task`, with the tools of this number.
    pub fn sub_agent_started(&mut self, name: &str, task: &str, tools: usize) -> SubAgentKey {
        let key = self.status.sub_agent_executions.len();
        let input = self.kept(task, LONGEST_TEXT);
        self.status.sub_agent_executions.push(SubAgentExecution {
            id: format!("sub-agent-{}", key + 1),
            name: name.to_owned(),
            input,
            status: SubAgentStatus::SubAgentInProgress as i32,
            started_at: rfc3339_now(),
            metadata: Some(to_struct(Map::from_iter([(
                "tools".to_owned(),
                json!(tools),
            )]))),
            ..Default::default()
        });
        SubAgentKey(key)
    }

    /// It has ended with an answer or an error.
    pub fn sub_agent_ended(&mut self, key: SubAgentKey, outcome: Result<&str, &str>) {
        let kept = self.kept(outcome.unwrap_or_else(|error| error), LONGEST_TEXT);
        let execution = &mut self.status.sub_agent_executions[key.0];
        execution.completed_at = rfc3339_now();
        match outcome {
            Ok(_) => {
                execution.set_status(SubAgentStatus::SubAgentCompleted);
                execution.output = kept;
            }
            Err(_) => {
                execution.set_status(SubAgentStatus::SubAgentFailed);
                execution.error = kept;
            }
        }
    }

    /// Sub-agents that still worked when the execution ended did not succeed.
    pub(super) fn end_sub_agents(&mut self) {
        for key in 0..self.status.sub_agent_executions.len() {
            if self.status.sub_agent_executions[key]
                .completed_at
                .is_empty()
            {
                self.sub_agent_ended(SubAgentKey(key), Err(UNFINISHED));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_agent_is_on_record_from_its_task_to_its_answer() {
        let mut transcript = Transcript::begin("Hi");
        let tester = transcript.sub_agent_started("tester", "test it", 2);
        let writer = transcript.sub_agent_started("writer", "write it", 0);
        transcript.sub_agent_ended(tester, Ok("all green"));
        transcript.sub_agent_ended(writer, Err("no ink"));
        transcript.sub_agent_started("late", "too late", 0);
        transcript.complete();
        let executions = transcript.status().sub_agent_executions.iter();
        let seen = executions.map(|execution| {
            assert!(execution.started_at <= execution.completed_at);
            (
                execution.id.as_str(),
                execution.status(),
                execution.output.as_str(),
                execution.error.as_str(),
            )
        });
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [
                (
                    "sub-agent-1",
                    SubAgentStatus::SubAgentCompleted,
                    "all green",
                    ""
                ),
                ("sub-agent-2", SubAgentStatus::SubAgentFailed, "", "no ink"),
                (
                    "sub-agent-3",
                    SubAgentStatus::SubAgentFailed,
                    "",
                    UNFINISHED
                ),
            ]
        );
    }
}
