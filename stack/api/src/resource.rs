//! What every API resource has in common, so that one pipeline can serve all kinds.

use prost_reflect::ReflectMessage;

use crate::{
    ApiResourceAudit, ApiResourceAuditStatus, ApiResourceKind, ApiResourceMetadata, agent,
    agent_execution, agent_instance, environment, execution_context, kind, mcp_server, session,
    skill, workflow, workflow_execution, workflow_instance,
};

/// The `api_version` of every resource.
pub const API_VERSION: &str = "agentic.stigmer.ai/v1";

/// A top-level resource: envelope, metadata, spec, and status.
pub trait Resource: ReflectMessage + Default + Clone + Send + Sync + 'static {
    /// The kind in references and in the store.
    const KIND: ApiResourceKind;

    /// A resource with its envelope filled in and everything else unset.
    fn envelope() -> Self;
    /// The metadata, if set.
    fn metadata(&self) -> Option<&ApiResourceMetadata>;
    /// The metadata, created when unset.
    fn metadata_mut(&mut self) -> &mut ApiResourceMetadata;
    /// The audit block of the status, if set.
    fn audit(&self) -> Option<&ApiResourceAudit>;
    /// The audit block, created when unset.
    fn audit_mut(&mut self) -> &mut ApiResourceAudit;
    /// Drops the whole status.
    fn clear_status(&mut self);
    /// Replaces the status with that of `other`.
    fn take_status_of(&mut self, other: &Self);
    /// Replaces the spec with that of `other`.
    fn take_spec_of(&mut self, other: &Self);

    /// The kind's name, such as `AgentExecution`.
    fn kind_name() -> &'static str {
        &kind::meta(Self::KIND).name
    }

    /// `metadata.id`, or an empty text.
    fn id(&self) -> &str {
        self.metadata().map_or("", |m| &m.id)
    }

    /// `metadata.name`, or an empty text.
    fn name(&self) -> &str {
        self.metadata().map_or("", |m| &m.name)
    }

    /// `metadata.slug`, or an empty text.
    fn slug(&self) -> &str {
        self.metadata().map_or("", |m| &m.slug)
    }
}

macro_rules! resources {
    ($($kind:ident => $message:path, $status:path;)*) => {$(
        impl Resource for $message {
            const KIND: ApiResourceKind = ApiResourceKind::$kind;

            fn envelope() -> Self {
                Self {
                    api_version: API_VERSION.to_owned(),
                    kind: kind::meta(Self::KIND).name.clone(),
                    ..Self::default()
                }
            }

            fn metadata(&self) -> Option<&ApiResourceMetadata> {
                self.metadata.as_ref()
            }

            fn metadata_mut(&mut self) -> &mut ApiResourceMetadata {
                self.metadata.get_or_insert_default()
            }

            fn audit(&self) -> Option<&ApiResourceAudit> {
                self.status.as_ref()?.audit.as_ref()
            }

            fn audit_mut(&mut self) -> &mut ApiResourceAudit {
                self.status.get_or_insert_with(<$status>::default).audit.get_or_insert_default()
            }

            fn clear_status(&mut self) {
                self.status = None;
            }

            fn take_status_of(&mut self, other: &Self) {
                self.status = other.status.clone();
            }

            fn take_spec_of(&mut self, other: &Self) {
                self.spec = other.spec.clone();
            }
        }
    )*};
}

resources! {
    Agent => agent::Agent, agent::AgentStatus;
    AgentInstance => agent_instance::AgentInstance, ApiResourceAuditStatus;
    AgentExecution => agent_execution::AgentExecution, agent_execution::AgentExecutionStatus;
    Session => session::Session, ApiResourceAuditStatus;
    Skill => skill::Skill, skill::SkillStatus;
    McpServer => mcp_server::McpServer, mcp_server::McpServerStatus;
    Workflow => workflow::Workflow, workflow::WorkflowStatus;
    WorkflowInstance => workflow_instance::WorkflowInstance, ApiResourceAuditStatus;
    WorkflowExecution => workflow_execution::WorkflowExecution, workflow_execution::WorkflowExecutionStatus;
    Environment => environment::Environment, ApiResourceAuditStatus;
    ExecutionContext => execution_context::ExecutionContext, ApiResourceAuditStatus;
}
