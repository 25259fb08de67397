//! Agent executions as executions.

use std::{collections::HashMap, sync::Arc};

use stigmer_api::{
    agent_execution::{
        AgentExecution, AgentExecutionStatus, AgentMessage, MessageType, ToolCall, ToolCallStatus,
    },
    execution_context::ExecutionValue,
    temporal_names::agent_execution_workflow_id,
    time::rfc3339_now,
};

use super::{
    Broker, Execution, Job,
    execution::{Progress, Status},
};
use crate::{kinds::session, pipeline::StepError, state::Brokers, store::Tx};

impl Execution for AgentExecution {
    type Status = AgentExecutionStatus;

    fn status_mut(&mut self) -> &mut AgentExecutionStatus {
        self.status.get_or_insert_default()
    }

    fn workflow_id(execution_id: &str) -> String {
        agent_execution_workflow_id(execution_id)
    }

    fn runtime_env_mut(&mut self) -> &mut HashMap<String, ExecutionValue> {
        &mut self.spec.get_or_insert_default().runtime_env
    }

    fn broker(brokers: &Brokers) -> &Arc<Broker<Self>> {
        &brokers.agent_executions
    }

    fn into_job(self) -> Job {
        Job::Agent(self)
    }

    fn delete_companions(&self, tx: &Tx<'_>) -> Result<(), StepError> {
        session::delete_of_execution(tx, self)
    }
}

impl Status for AgentExecutionStatus {
    fn progress(&mut self) -> Progress<'_> {
        Progress {
            phase: &mut self.phase,
            error: &mut self.error,
            started_at: &mut self.started_at,
            completed_at: &mut self.completed_at,
        }
    }

    fn take_contents(&mut self, update: Self) {
        if !update.messages.is_empty() {
            self.messages = update.messages;
        }
        if !update.tool_calls.is_empty() {
            self.tool_calls = update.tool_calls;
        }
        if !update.sub_agent_executions.is_empty() {
            self.sub_agent_executions = update.sub_agent_executions;
        }
        if !update.todos.is_empty() {
            self.todos = update.todos;
        }
    }

    fn settle(&mut self, cause: &str) {
        let under_way = |call: &&mut ToolCall| {
            matches!(
                call.status(),
                ToolCallStatus::ToolCallPending | ToolCallStatus::ToolCallRunning
            )
        };
        for call in self.tool_calls.iter_mut().filter(under_way) {
            call.set_status(ToolCallStatus::ToolCallFailed);
            cause.clone_into(&mut call.error);
            call.completed_at = rfc3339_now();
        }
    }

    fn append_note(&mut self, text: &str) {
        self.messages.push(AgentMessage {
            r#type: MessageType::MessageSystem as i32,
            content: text.to_owned(),
            timestamp: rfc3339_now(),
            ..Default::default()
        });
    }

    fn failure_hint(&self) -> String {
        self.messages
            .iter()
            .rev()
            .find(|message| message.r#type() == MessageType::MessageSystem)
            .map_or_else(String::new, |message| message.content.clone())
    }
}
