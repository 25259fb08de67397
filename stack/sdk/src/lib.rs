//! Write Stigmer agents and workflows in Rust.
//!
//! A program describes its resources inside [`run`]; `stigmer apply` runs the program and deploys
//! what it described.
//!
//! ```
//! use stigmer::{Agent, AgentArgs};
//!
//! fn main() -> std::process::ExitCode {
//!     stigmer::run(|ctx| {
//!         let args = AgentArgs {
//!             instructions: "Review the code and name every defect.".into(),
//!             ..Default::default()
//!         };
//!         Agent::new(ctx, "code-reviewer", args)?;
//!         Ok(())
//!     })
//! }
//! ```
//!
//! A workflow is a list of tasks. What a task gives is read by those after it:
//!
//! ```
//! use stigmer::{HttpCall, Set, Switch, Workflow, WorkflowArgs};
//!
//! # let ctx = &stigmer::Context::new();
//! let workflow = Workflow::new(ctx, "data-processing/triage", WorkflowArgs::default())?;
//! let pull = workflow.add(HttpCall::get("fetch", "https://example.com/pulls/1"));
//! workflow.add(
//!     Switch::new("decide")
//!         .case("open", pull.field("state").equals("open"), "review")
//!         .otherwise("closed", "end"),
//! );
//! workflow.add(Set::new("review").variable("title", format!("Review: {}", pull.field("title"))));
//! # Ok::<(), stigmer::ValidationError>(())
//! ```
//!
//! Run by hand, without `STIGMER_OUT_DIR`, the program checks names and writes nothing.

mod agent;
mod computed;
mod context;
mod envelope;
mod environment;
mod error;
mod files;
mod jq;
mod mcp_server;
mod skill_ref;
mod sub_agent;
mod synthesis;
mod value;
mod workflow;

pub use agent::{Agent, AgentArgs};
pub use context::{Context, Variable};
pub use environment::EnvironmentVariable;
pub use error::{BoxError, Result, RunError, SynthesisError, ValidationError};
pub use mcp_server::{DockerServer, HttpServer, McpServer, StdioServer};
pub use skill_ref::SkillRef;
pub use sub_agent::SubAgent;
pub use synthesis::{run, try_run};
pub use value::{BoolRef, IntRef, ObjectRef, Part, Ref, StringRef};
pub use workflow::{
    AgentCall, AgentRef, CallActivity, ErrorType, Expression, ForEach, Fork, GrpcCall, HttpCall,
    Listen, Operand, Raise, Run, Scope, Set, Switch, Task, TryCatch, Wait, Workflow, WorkflowArgs,
    extract_runtime_refs, is_runtime_ref, runtime_env, runtime_secret, validate_runtime_ref,
};

/// Writes JSON, for bodies and inputs of tasks.
pub use serde_json::json;
