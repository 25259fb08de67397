//! The server as the CLI knows it: one connection, and the kinds it deploys, runs, and looks at.

mod call;
mod client;
mod execution;
mod kind;
mod page;
mod path;
mod skill;
mod snapshot;

pub use client::{Api, ApiError, explicit_address, reason, server_address};
pub use execution::Execution;
pub use kind::{Deployable, Request, Runnable, absent_as_none, delete, get};
pub use skill::push as push_skill;
pub use snapshot::{Entry, Phase, Snapshot, Speaker, TaskState};
