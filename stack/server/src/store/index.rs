//! What the store knows about a resource beside its bytes, so that look-ups need not decode rows.

use prost::{DecodeError, Message as _};
use stigmer_api::{
    Resource, agent::Agent, agent_execution::AgentExecution, agent_instance::AgentInstance,
    environment::Environment, execution_context::ExecutionContext, kind, mcp_server::McpServer,
    session::Session, skill::Skill, workflow::Workflow, workflow_execution::WorkflowExecution,
    workflow_instance::WorkflowInstance,
};

use crate::mask::Secrets;

/// A resource that the store can index.
pub trait Indexed: Resource + Secrets {
    /// The id of the resource this one belongs to, or an empty text.
    fn parent(&self) -> &str {
        ""
    }

    /// The execution phase as a number, or 0 for what is not an execution.
    fn phase(&self) -> i32 {
        0
    }
}

/// One row of `resource_index`, key left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub org: String,
    pub scope: i32,
    pub slug: String,
    pub parent: String,
    pub phase: i32,
    /// `metadata.tags` as a JSON array.
    pub tags: String,
}

impl Entry {
    pub(super) fn of<R: Indexed>(resource: &R) -> Self {
        let metadata = resource.metadata().cloned().unwrap_or_default();
        Self {
            org: metadata.org,
            scope: metadata.owner_scope,
            slug: metadata.slug,
            parent: resource.parent().to_owned(),
            phase: resource.phase(),
            tags: serde_json::Value::from(metadata.tags).to_string(),
        }
    }
}

macro_rules! indexed {
    ($($message:ident { $($item:item)* })*) => {
        $(impl Indexed for $message { $($item)* })*

        /// The entry of a row by its `kind` column; `None` for a kind that is not stored.
        pub(super) fn entry_of_row(kind: &str, data: &[u8]) -> Option<Result<Entry, DecodeError>> {
            $(if kind == kind::meta($message::KIND).storage_name {
                return Some($message::decode(data).map(|resource| Entry::of(&resource)));
            })*
            None
        }
    };
}

indexed! {
    Agent {}
    AgentInstance {
        fn parent(&self) -> &str {
            self.spec.as_ref().map_or("", |spec| &spec.agent_id)
        }
    }
    Session {
        fn parent(&self) -> &str {
            self.spec.as_ref().map_or("", |spec| &spec.agent_instance_id)
        }
    }
    AgentExecution {
        fn parent(&self) -> &str {
            self.spec.as_ref().map_or("", |spec| &spec.session_id)
        }
        fn phase(&self) -> i32 {
            self.status.as_ref().map_or(0, |status| status.phase)
        }
    }
    Workflow {}
    WorkflowInstance {
        fn parent(&self) -> &str {
            self.spec.as_ref().map_or("", |spec| &spec.workflow_id)
        }
    }
    WorkflowExecution {
        fn parent(&self) -> &str {
            self.spec.as_ref().map_or("", |spec| &spec.workflow_instance_id)
        }
        fn phase(&self) -> i32 {
            self.status.as_ref().map_or(0, |status| status.phase)
        }
    }
    Environment {}
    ExecutionContext {
        fn parent(&self) -> &str {
            self.spec.as_ref().map_or("", |spec| &spec.execution_id)
        }
    }
    McpServer {}
    Skill {}
}
