//! The contract of the Stigmer stack as types: messages and services (`proto/`), canonical JSON,
//! resource kinds and identifiers, slugs, validation rules, and the names used in Temporal.
//!
//! Source of every fact: `docs/contract/`.

pub mod annotation;
pub mod id;
pub mod json;
pub mod kind;
pub mod limits;
pub mod resource;
pub mod slug;
pub mod temporal_names;
pub mod time;
pub mod validate;

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// The serialized `FileDescriptorSet` of every contract file and its imports, for gRPC reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors of every contract message, enum, and service, options included.
pub static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    // The bytes were written by this crate's build script from files it compiled.
    DescriptorPool::decode(DESCRIPTOR_SET).expect("compiled descriptors decode")
});

/// The generated modules, laid out like the proto packages.
#[allow(clippy::all, rust_2018_idioms, non_camel_case_types)]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

pub use proto::ai::stigmer::{
    agentic::{
        agent::v1 as agent, agentexecution::v1 as agent_execution,
        agentinstance::v1 as agent_instance, environment::v1 as environment,
        executioncontext::v1 as execution_context, mcpserver::v1 as mcp_server,
        session::v1 as session, skill::v1 as skill, workflow::v1 as workflow,
        workflowexecution::v1 as workflow_execution, workflowinstance::v1 as workflow_instance,
        workflowrunner::v1 as workflow_runner,
    },
    commons::{
        apiresource as commons, apiresource::apiresourcekind::ApiResourceKind, rpc as pagination,
    },
};

pub use commons::{
    ApiResourceAudit, ApiResourceAuditActor, ApiResourceAuditInfo, ApiResourceAuditStatus,
    ApiResourceDeleteInput, ApiResourceId, ApiResourceMetadata, ApiResourceOwnerScope,
    ApiResourceReference, FindApiResourcesRequest,
};
pub use resource::{API_VERSION, Resource};

/// The org of local mode, where there are no organizations.
pub const LOCAL_ORG: &str = "local";

/// The largest gRPC message either side accepts, in bytes (10 MiB).
pub const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024;
