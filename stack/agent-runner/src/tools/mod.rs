//! What a model may ask for: a tool, and the tools of one agent by name.

mod name;

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::sync::Arc;

pub use self::name::model_name;
use crate::{
    llm::{ToolRequest, ToolSpec},
    transcript::{CallKey, Component},
};

/// What a tool is called with.
pub type Arguments = Map<String, Value>;

/// Something that a model can have done.
pub trait Tool: Send + Sync {
    /// How it is offered to the model.
    fn spec(&self) -> &ToolSpec;

    /// What it is to those who read the record.
    fn component(&self) -> Component;

    /// Does it. Dropping the future gives it up. `call` is the call on record.
    fn call(&self, arguments: Arguments, call: CallKey)
    -> BoxFuture<'_, Result<String, ToolError>>;
}

/// A tool did not do what it was asked for. The model reads why, and may try something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ToolError(pub String);

/// The tools of one agent.
#[derive(Clone, Default)]
pub struct Toolbox {
    tools: Vec<Arc<dyn Tool>>,
    specs: Vec<ToolSpec>,
}

impl Toolbox {
    /// These tools. Of several with one name the first counts.
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        let mut toolbox = Self::default();
        for tool in tools {
            if toolbox.find(&tool.spec().name).is_none() {
                toolbox.specs.push(tool.spec().clone());
                toolbox.tools.push(tool);
            }
        }
        toolbox
    }

    /// How they are offered.
    pub fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    /// The tool with this name.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.iter().find(|tool| tool.spec().name == name)
    }

    /// The tool that `request` asks for, and with what.
    ///
    /// # Errors
    ///
    /// Tells the model what it got wrong.
    pub fn resolve(&self, request: &ToolRequest) -> Result<(&Arc<dyn Tool>, Arguments), ToolError> {
        let tool = self.find(&request.name).ok_or_else(|| {
            let names = self.specs.iter().map(|spec| spec.name.as_str());
            let known = match names.collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "you have no tools".to_owned(),
                names => format!("your tools are: {names}"),
            };
            ToolError(format!("there is no tool {:?}; {known}", request.name))
        })?;
        let arguments = request.parsed_arguments().map_err(|reason| {
            ToolError(format!(
                "the arguments of {} are not a JSON object: {reason}",
                request.name
            ))
        })?;
        Ok((tool, arguments))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A tool that answers what a function says.
    pub(crate) struct Fake<F> {
        spec: ToolSpec,
        answer: F,
    }

    impl<F> Fake<F>
    where
        F: Fn(Map<String, Value>) -> Result<String, ToolError> + Send + Sync + 'static,
    {
        pub(crate) fn tool(name: &str, answer: F) -> Arc<dyn Tool> {
            let spec = ToolSpec {
                name: name.to_owned(),
                description: format!("Does {name}."),
                parameters: Map::new(),
            };
            Arc::new(Self { spec, answer })
        }
    }

    impl<F> Tool for Fake<F>
    where
        F: Fn(Map<String, Value>) -> Result<String, ToolError> + Send + Sync,
    {
        fn spec(&self) -> &ToolSpec {
            &self.spec
        }

        fn component(&self) -> Component {
            Component {
                r#type: "tool",
                mcp_server: None,
            }
        }

        fn call(
            &self,
            arguments: Map<String, Value>,
            _: CallKey,
        ) -> BoxFuture<'_, Result<String, ToolError>> {
            Box::pin(async move { (self.answer)(arguments) })
        }
    }

    fn request(name: &str, arguments: &str) -> ToolRequest {
        ToolRequest {
            id: "1".to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        }
    }

    #[test]
    fn a_model_that_asks_wrongly_is_told_what_there_is() {
        let toolbox = Toolbox::new([
            Fake::tool("add", |_| Ok("first".to_owned())),
            Fake::tool("add", |_| Ok("second".to_owned())),
            Fake::tool("sub", |_| Ok(String::new())),
        ]);
        assert_eq!(toolbox.specs().len(), 2);
        let error = |request| {
            toolbox
                .resolve(&request)
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(request("rm", "{}")),
            "there is no tool \"rm\"; your tools are: add, sub"
        );
        assert!(error(request("add", "[]")).contains("not a JSON object"));
        assert!(toolbox.resolve(&request("add", "")).is_ok());
        let none = Toolbox::default().resolve(&request("rm", "{}")).map(|_| ());
        assert!(none.unwrap_err().to_string().contains("you have no tools"));
    }
}
