//! The MCP servers of an agent: started for one execution, offered as tools, and gone with it.

mod connection;
mod container;
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
            let admitted = match started {
                Ok((connection, offered)) => {
                    servers.admit(definition, connection, &offered, environment)
                }
                Err(error) => Err(error.to_string()),
            };
            match admitted {
                Ok(missing) => warnings.extend(missing),
                Err(why) => {
                    let name = &definition.name;
                    let warning = format!("the MCP server {name:?} is not available: {why}");
                    // A program may repeat its secrets in what it complains of.
                    warnings.push(environment.mask(&warning));
                }
            }
        }
        (servers, warnings)
    }

    /// Takes in a server that is ready. Gives a line for each tool that is missing.
    ///
    /// # Errors
    ///
    /// Says why it cannot be used.
    fn admit(
        &mut self,
        definition: &McpServerDefinition,
        connection: Connection,
        offered: &[rmcp::model::Tool],
        environment: &Environment,
    ) -> Result<Vec<String>, String> {
        let connection = Arc::new(connection);
        self.connections.push(Arc::clone(&connection));
        let name = &definition.name;
        if self.tools.contains_key(name) {
            return Err("another server has the same name".to_owned());
        }
        let tools = offered
            .iter()
            .map(|tool| Arc::new(McpTool::new(&connection, name, tool, environment)));
        let (tools, missing) = allowed(tools.collect(), name, &definition.enabled_tools);
        if tools.len() > MOST_TOOLS {
            let count = tools.len();
            return Err(format!(
                "it offers {count} tools, and a model is given at most {MOST_TOOLS} of one server; name those to use in enabled_tools"
            ));
        }
        self.tools.insert(name.clone(), tools);
        Ok(missing)
    }

    /// Whether a server of this name is ready.
    pub fn has(&self, server: &str) -> bool {
        self.tools.contains_key(server)
    }

    /// The tools of a server, those of `enabled` if it names any, and a line for each that is missing.
    pub fn tools_of(&self, server: &str, enabled: &[String]) -> (Vec<Arc<dyn Tool>>, Vec<String>) {
        let tools = self.tools.get(server).cloned().unwrap_or_default();
        let (tools, missing) = allowed(tools, server, enabled);
        let tools = tools.into_iter().map(|tool| tool as Arc<dyn Tool>);
        (tools.collect(), missing)
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
    let launch = Launch::resolve(definition, environment, workspace)?;
    Connection::open(launch, workspace, limits).await
}

/// Those of `tools` that `enabled` names, all when it names none, and a line for each that is missing.
fn allowed(
    tools: Vec<Arc<McpTool>>,
    server: &str,
    enabled: &[String],
) -> (Vec<Arc<McpTool>>, Vec<String>) {
    if enabled.is_empty() {
        return (tools, Vec::new());
    }
    let missing = enabled
        .iter()
        .filter(|name| !tools.iter().any(|tool| tool.name() == *name))
        .map(|name| {
            format!("the MCP server {server:?} offers no tool {name:?}, which enabled_tools names")
        })
        .collect();
    let named = |tool: &Arc<McpTool>| enabled.iter().any(|name| name == tool.name());
    (tools.into_iter().filter(named).collect(), missing)
}
