//! The tools that were called: what for, how it went, when.

use serde_json::{Map, Value, json};
use stigmer_api::{
    agent_execution::{AgentMessage, ComponentMetadata, MessageType, ToolCall, ToolCallStatus},
    json::to_struct,
    time::rfc3339_now,
};

use super::{Speaker, Transcript, UNFINISHED};
use crate::{llm::ToolRequest, text::beginning};

/// The longest result or error of one call that stays on record, in characters.
const LONGEST_RESULT: usize = 16 * 1024;

/// The longest arguments of one call that stay on record as they are, in bytes of JSON.
const LONGEST_ARGUMENTS: usize = 16 * 1024;

/// What a person reads of a result among the messages, in characters.
const SHOWN: usize = 500;

/// A call on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallKey(usize);

/// What kind of thing a tool is, for those who show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// `tool`, `filesystem`, or `subagent`.
    pub r#type: &'static str,
    /// The MCP server that offers it.
    pub mcp_server: Option<String>,
}

impl Transcript {
    /// The model asks for a tool.
    pub fn call_asked(
        &mut self,
        speaker: &Speaker,
        request: &ToolRequest,
        component: &Component,
    ) -> CallKey {
        let key = self.status.tool_calls.len();
        let args = self.arguments_on_record(request);
        let call = ToolCall {
            id: self.unused_id(&request.id),
            name: request.name.clone(),
            args: Some(to_struct(args)),
            status: ToolCallStatus::ToolCallPending as i32,
            component_metadata: Some(metadata(speaker, component)),
            ..Default::default()
        };
        let message = (*speaker == Speaker::Agent).then(|| {
            self.status.messages.push(AgentMessage {
                r#type: MessageType::MessageTool as i32,
                timestamp: rfc3339_now(),
                tool_calls: vec![call.clone()],
                ..Default::default()
            });
            self.status.messages.len() - 1
        });
        stigmer_fault::inject!(ToolCallTwice, {
            self.status.tool_calls.push(call.clone());
            self.messages_of_calls.push(None);
        });
        self.status.tool_calls.push(call);
        self.messages_of_calls.push(message);
        CallKey(key)
    }

    /// The call begins.
    pub fn call_running(&mut self, key: CallKey) {
        self.change(key, |call| {
            call.set_status(ToolCallStatus::ToolCallRunning);
            call.started_at = rfc3339_now();
        });
    }

    /// The call has ended with a result or an error.
    pub fn call_ended(&mut self, key: CallKey, outcome: Result<&str, &str>) {
        let text = outcome.unwrap_or_else(|error| error);
        let kept = self.kept(text, LONGEST_RESULT);
        self.change(key, |call| {
            if call.started_at.is_empty() {
                call.started_at = rfc3339_now();
            }
            call.completed_at = rfc3339_now();
            match outcome {
                Ok(_) => {
                    call.set_status(ToolCallStatus::ToolCallCompleted);
                    call.result = kept;
                }
                Err(_) => {
                    call.set_status(ToolCallStatus::ToolCallFailed);
                    call.error = kept;
                }
            }
        });
        if let Some(message) = self.messages_of_calls[key.0] {
            let name = &self.status.tool_calls[key.0].name;
            let word = if outcome.is_ok() { "" } else { " failed" };
            self.status.messages[message].content =
                format!("{name}{word}: {}", beginning(text, SHOWN));
        }
    }

    /// Calls that still went on when the execution ended did not succeed.
    pub(super) fn end_calls(&mut self) {
        for key in 0..self.status.tool_calls.len() {
            if self.status.tool_calls[key].completed_at.is_empty() {
                self.call_ended(CallKey(key), Err(UNFINISHED));
            }
        }
    }

    fn change(&mut self, key: CallKey, change: impl FnOnce(&mut ToolCall)) {
        let call = &mut self.status.tool_calls[key.0];
        change(call);
        if let Some(message) = self.messages_of_calls[key.0] {
            self.status.messages[message].tool_calls = vec![call.clone()];
        }
    }

    /// The beginning of `text` for which there is room.
    pub(super) fn kept(&mut self, text: &str, longest: usize) -> String {
        let mut kept = beginning(text, longest);
        if kept.len() > self.room {
            "(left out: this execution's record is full)".clone_into(&mut kept);
        } else {
            self.room -= kept.len();
        }
        kept
    }

    fn arguments_on_record(&mut self, request: &ToolRequest) -> Map<String, Value> {
        if request.arguments.len() <= LONGEST_ARGUMENTS.min(self.room)
            && let Ok(arguments) = request.parsed_arguments()
        {
            self.room -= request.arguments.len();
            return arguments;
        }
        // Not what was asked for, but what was said.
        let text = self.kept(&request.arguments, LONGEST_ARGUMENTS);
        Map::from_iter([("text".to_owned(), json!(text))])
    }

    /// Some models number their calls anew in each answer.
    fn unused_id(&self, id: &str) -> String {
        let taken = |id: &str| self.status.tool_calls.iter().any(|call| call.id == id);
        if !taken(id) {
            return id.to_owned();
        }
        let numbered = (2..).map(|number| format!("{id}-{number}"));
        // There are finitely many calls, so one of the numbers is free.
        numbered
            .into_iter()
            .find(|id| !taken(id))
            .unwrap_or_default()
    }
}

fn metadata(speaker: &Speaker, component: &Component) -> ComponentMetadata {
    let mut metadata = Map::new();
    if let Some(server) = &component.mcp_server {
        metadata.insert("mcp_server".to_owned(), json!(server));
    }
    let group = match speaker {
        Speaker::Agent => "main-agent-tools",
        Speaker::SubAgent { name, .. } => {
            metadata.insert("sub_agent".to_owned(), json!(name));
            "sub-agent-tools"
        }
    };
    ComponentMetadata {
        component_type: component.r#type.to_owned(),
        component_group: group.to_owned(),
        metadata: Some(to_struct(metadata)),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::{agent_execution::AgentExecutionStatus, json::from_struct};

    use super::*;

    fn request(id: &str, arguments: &str) -> ToolRequest {
        ToolRequest {
            id: id.to_owned(),
            name: "files__read".to_owned(),
            arguments: arguments.to_owned(),
        }
    }

    fn component() -> Component {
        Component {
            r#type: "tool",
            mcp_server: Some("files".to_owned()),
        }
    }

    fn states(status: &AgentExecutionStatus) -> Vec<(ToolCallStatus, &str, &str)> {
        let calls = status.tool_calls.iter();
        calls
            .map(|call| (call.status(), call.result.as_str(), call.error.as_str()))
            .collect()
    }

    #[test]
    fn a_call_is_on_record_from_the_request_to_its_result() {
        let mut transcript = Transcript::begin("Hi");
        let key = transcript.call_asked(
            &Speaker::Agent,
            &request("call_1", r#"{"path": "/tmp"}"#),
            &component(),
        );
        assert_eq!(
            states(transcript.status()),
            [(ToolCallStatus::ToolCallPending, "", "")]
        );
        transcript.call_running(key);
        assert_eq!(
            states(transcript.status()),
            [(ToolCallStatus::ToolCallRunning, "", "")]
        );
        transcript.call_ended(key, Ok("three files"));
        let status = transcript.status();
        assert_eq!(
            states(status),
            [(ToolCallStatus::ToolCallCompleted, "three files", "")]
        );
        let call = &status.tool_calls[0];
        assert_eq!(
            Value::Object(from_struct(call.args.as_ref().unwrap())),
            json!({"path": "/tmp"})
        );
        assert!(!call.started_at.is_empty() && call.started_at <= call.completed_at);
        let shown = call.component_metadata.as_ref().unwrap();
        assert_eq!(
            (
                shown.component_type.as_str(),
                shown.component_group.as_str()
            ),
            ("tool", "main-agent-tools")
        );
        let message = &status.messages[1];
        assert_eq!(message.r#type(), MessageType::MessageTool);
        assert_eq!(message.content, "files__read: three files");
        assert_eq!(message.tool_calls, status.tool_calls);
    }

    #[test]
    fn errors_ids_in_use_and_broken_arguments_are_told_apart() {
        let mut transcript = Transcript::begin("Hi");
        for arguments in ["{}", "{broken"] {
            let request = request("call_1", arguments);
            let key = transcript.call_asked(&Speaker::Agent, &request, &component());
            transcript.call_ended(key, Err("no such file"));
        }
        let status = transcript.status();
        assert_eq!(
            states(status),
            [(ToolCallStatus::ToolCallFailed, "", "no such file"); 2]
        );
        let ids = status.tool_calls.iter().map(|call| call.id.as_str());
        assert_eq!(ids.collect::<Vec<_>>(), ["call_1", "call_1-2"]);
        let args = from_struct(status.tool_calls[1].args.as_ref().unwrap());
        assert_eq!(Value::Object(args), json!({"text": "{broken"}));
        assert_eq!(
            status.messages[2].content,
            "files__read failed: no such file"
        );
    }

    #[test]
    fn what_an_end_interrupts_has_failed() {
        let mut transcript = Transcript::begin("Hi");
        let key = transcript.call_asked(&Speaker::Agent, &request("1", "{}"), &component());
        transcript.call_running(key);
        transcript.cancel();
        assert_eq!(
            states(transcript.status()),
            [(ToolCallStatus::ToolCallFailed, "", UNFINISHED)]
        );
    }

    #[test]
    fn the_record_stays_small_whatever_tools_answer() {
        let mut transcript = Transcript::begin("Hi");
        let flood = "x".repeat(100_000);
        for number in 0..400 {
            let request = request(&number.to_string(), &json!({"text": flood}).to_string());
            let key = transcript.call_asked(&Speaker::Agent, &request, &component());
            transcript.call_ended(key, Ok(&flood));
        }
        let status = transcript.status();
        assert!(
            prost_size(status) < 8 * 1024 * 1024,
            "{} bytes",
            prost_size(status)
        );
        assert!(
            status.tool_calls[0]
                .result
                .ends_with("… (100000 characters in all)")
        );
        assert!(status.tool_calls[399].result.contains("record is full"));
    }

    fn prost_size(status: &AgentExecutionStatus) -> usize {
        stigmer_api::json::to_json(status).to_string().len()
    }
}
