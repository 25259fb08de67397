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
