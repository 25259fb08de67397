//! Sub-agents: the tool by which an agent hands a part of its task to one of them. They work in this
//! process, with their own instructions, tools, and skills, and have no sub-agents themselves.

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use crate::{
    llm::{ChatMessage, Role, ToolSpec},
    tools::{Tool, ToolError, Toolbox},
    transcript::{CallKey, Component, Speaker},
    turn::TurnContext,
};

/// What the model calls the tool by.
const NAME: &str = "delegate_task";

/// A sub-agent that is ready to work.
pub struct ReadySubAgent {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its system message.
    pub instructions: String,
    /// What it may ask for.
    pub tools: Toolbox,
}

/// Hands tasks to sub-agents.
pub struct Delegate {
    context: TurnContext,
    sub_agents: Vec<ReadySubAgent>,
    spec: ToolSpec,
}

impl Delegate {
    /// A tool for these sub-agents; nothing when there are none.
    pub fn to(sub_agents: Vec<ReadySubAgent>, context: &TurnContext) -> Option<Self> {
        if sub_agents.is_empty() {
            return None;
        }
        let spec = spec(&sub_agents);
        Some(Self {
            context: context.clone(),
            sub_agents,
            spec,
        })
    }

    async fn delegate(&self, name: &str, task: &str) -> Result<String, ToolError> {
        let sub_agent = self
            .sub_agents
            .iter()
            .find(|sub_agent| sub_agent.name == name);
        let sub_agent = sub_agent.ok_or_else(|| {
            let names = self
                .sub_agents
                .iter()
                .map(|sub_agent| sub_agent.name.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            ToolError(format!(
                "there is no sub-agent {name:?}; there are: {names}"
            ))
        })?;
        if task.trim().is_empty() {
            return Err(ToolError(
                "the task is empty; say what is to be done".to_owned(),
            ));
        }
        let record = &self.context.record;
        let key = record.update(|transcript| {
            transcript.sub_agent_started(name, task, sub_agent.tools.specs().len())
        });
        let speaker = Speaker::SubAgent {
            key,
            name: name.to_owned(),
        };
        let messages = vec![
            ChatMessage::new(Role::System, &sub_agent.instructions),
            ChatMessage::new(Role::User, task),
        ];
        let outcome = self
            .context
            .run(&speaker, messages, &sub_agent.tools)
            .await
            .map_err(|error| error.to_string());
        record.update(|transcript| {
            transcript.sub_agent_ended(key, outcome.as_deref().map_err(String::as_str));
        });
        outcome
            .map_err(|error| ToolError(format!("the sub-agent {name} came to no answer: {error}")))
    }
}

fn spec(sub_agents: &[ReadySubAgent]) -> ToolSpec {
    let names = sub_agents
        .iter()
        .map(|sub_agent| sub_agent.name.as_str())
        .collect::<Vec<_>>();
    let described = sub_agents
        .iter()
        .map(|sub_agent| format!("- {}: {}", sub_agent.name, sub_agent.description))
        .collect::<Vec<_>>()
        .join("\n");
    let parameters = json!({
        "type": "object",
        "properties": {
            "agent": {"type": "string", "enum": names, "description": "Who is to do it"},
            "task": {
                "type": "string",
                "description": "What is to be done, with all that is needed for it: the sub-agent knows nothing else",
            },
        },
        "required": ["agent", "task"],
    });
    let Value::Object(parameters) = parameters else {
        unreachable!("an object literal")
    };
    ToolSpec {
        name: NAME.to_owned(),
        description: format!(
            "Hands a task to a sub-agent and gives its answer. Sub-agents:\n{described}"
        ),
        parameters,
    }
}

impl Tool for Delegate {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn component(&self) -> Component {
        Component {
            r#type: "subagent",
            mcp_server: None,
        }
    }

    fn call(
        &self,
        arguments: Map<String, Value>,
        _: CallKey,
    ) -> BoxFuture<'_, Result<String, ToolError>> {
        let text = |name: &str| {
            arguments
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let (agent, task) = (text("agent"), text("task"));
        Box::pin(async move {
            match (agent, task) {
                (Some(agent), Some(task)) => self.delegate(&agent, &task).await,
                _ => Err(ToolError(
                    "the arguments agent and task are both needed, as texts".to_owned(),
                )),
            }
        })
    }
}
