//! A tool of an MCP server as an agent's tool.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::connection::Connection;
use crate::{
    llm::ToolSpec,
    text::beginning,
    tools::{Arguments, Tool, ToolError, model_name},
    transcript::{CallKey, Component},
};

/// The longest description that the model reads, in characters.
const LONGEST_DESCRIPTION: usize = 4096;

/// One tool of a server.
pub struct McpTool {
    connection: Arc<Connection>,
    server: String,
    name: String,
    spec: ToolSpec,
}

impl AsRef<McpTool> for McpTool {
    fn as_ref(&self) -> &McpTool {
        self
    }
}

impl McpTool {
    /// `tool` of the server called `server`.
    pub fn new(connection: &Arc<Connection>, server: &str, tool: &rmcp::model::Tool) -> Self {
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

impl McpTool {
    /// Its name on its server.
    pub fn name(&self) -> &str {
        &self.name
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

    fn call(&self, arguments: Arguments, _: CallKey) -> BoxFuture<'_, Result<String, ToolError>> {
        Box::pin(self.connection.call(&self.server, &self.name, arguments))
    }
}
