//! The MCP servers of an agent: started for one execution, offered as tools, and gone with it.

mod connection;
mod content;
mod error;
mod launch;
mod placeholder;
mod process;
mod stdio;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use futures::future::{BoxFuture, join_all};
use serde_json::{Map, Value};
use stigmer_api::agent::McpServerDefinition;

use self::{
    connection::{ConnectError, Connection},
    launch::Launch,
};
use crate::{
    environment::Environment,
    llm::ToolSpec,
    text::beginning,
    tools::{Tool, ToolError, model_name},
    transcript::{CallKey, Component},
};

/// The most tools of one server; models take few more than this in all.
const MOST_TOOLS: usize = 128;

/// The longest description that the model reads, in characters.
const LONGEST_DESCRIPTION: usize = 4096;

/// How long servers may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To become ready and tell their tools.
    pub start: Duration,
    /// To answer a call, where the definition does not say.
    pub call: Duration,
}

/// The servers that are ready, by name.
#[derive(Default)]
pub struct Servers(BTreeMap<String, Vec<Arc<McpTool>>>, Vec<Arc<Connection>>);

/// One tool of a server.
pub struct McpTool {
    connection: Arc<Connection>,
    server: String,
    name: String,
    spec: ToolSpec,
}

impl Servers {
    /// Starts all servers side by side. Gives those that became ready, and a line for people for each
    /// thing that the agent has to do without.
    pub async fn start(
        definitions: &[McpServerDefinition],
        environment: &Environment,
        workspace: &Path,
        limits: &Limits,
    ) -> (Self, Vec<String>) {
        let mut servers = Self::default();
        let mut warnings = Vec::new();
        let starting = definitions
            .iter()
            .map(|definition| start(definition, environment, workspace, limits));
        for (definition, started) in definitions.iter().zip(join_all(starting).await) {
            let name = &definition.name;
            let unavailable = |why: &dyn std::fmt::Display| {
                // A program may repeat its secrets in what it complains of.
                environment.mask(&format!("the MCP server {name:?} is not available: {why}"))
            };
            let (connection, offered) = match started {
                Ok(started) => started,
                Err(error) => {
                    warnings.push(unavailable(&error));
                    continue;
                }
            };
            let connection = Arc::new(connection);
            servers.1.push(Arc::clone(&connection));
            if servers.0.contains_key(name) {
                warnings.push(unavailable(&"another server has the same name"));
                continue;
            }
            let mut tools = offered
                .iter()
                .map(|tool| McpTool::new(&connection, name, tool))
                .collect::<Vec<_>>();
            warnings.extend(allow(
                &mut tools,
                &definition.enabled_tools,
                &format!("the MCP server {name:?}"),
            ));
            if tools.len() > MOST_TOOLS {
                let count = tools.len();
                warnings.push(unavailable(&format!(
                    "it offers {count} tools, and a model is given at most {MOST_TOOLS} of one server; name those to use in enabled_tools"
                )));
                continue;
            }
            servers
                .0
                .insert(name.clone(), tools.into_iter().map(Arc::new).collect());
        }
        (servers, warnings)
    }

    /// Whether a server of this name is ready.
    pub fn has(&self, server: &str) -> bool {
        self.0.contains_key(server)
    }

    /// The tools of a server, those of `enabled` if it names any, and a line for each that is missing.
    pub fn tools_of(&self, server: &str, enabled: &[String]) -> (Vec<Arc<dyn Tool>>, Vec<String>) {
        let mut tools = self.0.get(server).cloned().unwrap_or_default();
        let warnings = allow(&mut tools, enabled, &format!("the MCP server {server:?}"));
        let tools = tools.into_iter().map(|tool| tool as Arc<dyn Tool>);
        (tools.collect(), warnings)
    }

    /// The tools of all servers.
    pub fn tools(&self) -> Vec<Arc<dyn Tool>> {
        let tools = self.0.values().flatten().cloned();
        tools.map(|tool| tool as Arc<dyn Tool>).collect()
    }

    /// Ends all conversations and programs.
    pub async fn stop(&self) {
        join_all(self.1.iter().map(|connection| connection.close())).await;
    }
}

async fn start(
    definition: &McpServerDefinition,
    environment: &Environment,
    workspace: &Path,
    limits: &Limits,
) -> Result<(Connection, Vec<rmcp::model::Tool>), ConnectError> {
    let launch = Launch::resolve(definition, environment)?;
    Connection::open(launch, workspace, limits).await
}

/// Keeps the tools that `enabled` names, all when it names none; gives a line for each that is not
/// among them.
fn allow<T: AsRef<McpTool>>(tools: &mut Vec<T>, enabled: &[String], owner: &str) -> Vec<String> {
    if enabled.is_empty() {
        return Vec::new();
    }
    let known = |name: &String| tools.iter().any(|tool| tool.as_ref().name == *name);
    let missing = enabled.iter().filter(|name| !known(name));
    let warnings = missing
        .map(|name| format!("{owner} offers no tool {name:?}, which enabled_tools names"))
        .collect();
    tools.retain(|tool| enabled.contains(&tool.as_ref().name));
    warnings
}

impl AsRef<McpTool> for McpTool {
    fn as_ref(&self) -> &McpTool {
        self
    }
}

impl McpTool {
    fn new(connection: &Arc<Connection>, server: &str, tool: &rmcp::model::Tool) -> Self {
        let description = tool.description.as_deref().unwrap_or_default();
        Self {
            connection: Arc::clone(connection),
            server: server.to_owned(),
            name: tool.name.to_string(),
            spec: ToolSpec {
                name: model_name(server, &tool.name),
                description: beginning(description, LONGEST_DESCRIPTION),
                parameters: tool.input_schema.as_ref().clone(),
            },
        }
    }
}

impl Tool for McpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn component(&self) -> Component {
        Component {
            r#type: "tool",
            mcp_server: Some(self.server.clone()),
        }
    }

    fn call(
        &self,
        arguments: Map<String, Value>,
        _: CallKey,
    ) -> BoxFuture<'_, Result<String, ToolError>> {
        Box::pin(self.connection.call(&self.server, &self.name, arguments))
    }
}
