//! A tool of an MCP server as an agent's tool.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::connection::Connection;
use crate::{
    environment::Environment,
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

impl McpTool {
    /// `tool` of the server called `server`, without what it repeats of secrets.
    pub fn new(
        connection: &Arc<Connection>,
        server: &str,
        tool: &rmcp::model::Tool,
        environment: &Environment,
    ) -> Self {
        let description = tool.description.as_deref().unwrap_or_default();
        Self {
            connection: Arc::clone(connection),
            server: server.to_owned(),
            name: tool.name.to_string(),
            spec: ToolSpec {
                name: model_name(server, &tool.name),
                description: beginning(&environment.mask(description), LONGEST_DESCRIPTION),
                parameters: environment.mask_object(&tool.input_schema),
            },
        }
    }

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
