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
mod tool;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use futures::future::join_all;
use stigmer_api::agent::McpServerDefinition;

use self::{
    connection::{ConnectError, Connection},
    launch::Launch,
    tool::McpTool,
};
use crate::{environment::Environment, tools::Tool};

/// The most tools of one server; models take few more than this in all.
const MOST_TOOLS: usize = 128;

/// How long servers may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To become ready and tell their tools.
    pub start: Duration,
    /// To answer a call, where the definition does not say.
    pub call: Duration,
}

/// The servers that are ready.
#[derive(Default)]
pub struct Servers {
    /// The tools that may be used, by server.
    tools: BTreeMap<String, Vec<Arc<McpTool>>>,
    connections: Vec<Arc<Connection>>,
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
            servers.connections.push(Arc::clone(&connection));
            if servers.tools.contains_key(name) {
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
                .tools
                .insert(name.clone(), tools.into_iter().map(Arc::new).collect());
        }
        (servers, warnings)
    }

    /// Whether a server of this name is ready.
    pub fn has(&self, server: &str) -> bool {
        self.tools.contains_key(server)
    }

    /// The tools of a server, those of `enabled` if it names any, and a line for each that is missing.
    pub fn tools_of(&self, server: &str, enabled: &[String]) -> (Vec<Arc<dyn Tool>>, Vec<String>) {
        let mut tools = self.tools.get(server).cloned().unwrap_or_default();
        let warnings = allow(&mut tools, enabled, &format!("the MCP server {server:?}"));
        let tools = tools.into_iter().map(|tool| tool as Arc<dyn Tool>);
        (tools.collect(), warnings)
    }

    /// The tools of all servers.
    pub fn tools(&self) -> Vec<Arc<dyn Tool>> {
        let tools = self.tools.values().flatten().cloned();
        tools.map(|tool| tool as Arc<dyn Tool>).collect()
    }

    /// Ends all conversations and programs.
    pub async fn stop(&self) {
        join_all(self.connections.iter().map(|connection| connection.close())).await;
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
    let known = |name: &String| tools.iter().any(|tool| tool.as_ref().name() == name);
    let missing = enabled.iter().filter(|name| !known(name));
    let warnings = missing
        .map(|name| format!("{owner} offers no tool {name:?}, which enabled_tools names"))
        .collect();
    tools.retain(|tool| enabled.iter().any(|name| name == tool.as_ref().name()));
    warnings
}
