//! The server as the CLI knows it: one connection, and the kinds it deploys and runs.

mod client;
mod execution;
mod kind;

pub use client::{Api, ApiError, reason, server_address};
pub use execution::{Entry, Execution, Phase, Snapshot, Speaker, TaskState};
pub use kind::{Deployable, Request, Runnable};
