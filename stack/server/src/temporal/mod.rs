//! The server's side of Temporal: the workflow behind an execution, its activities, and a connection
//! that is watched and made again by itself.

mod activities;
mod calls;
mod connection;
mod failure;
mod starter;
mod workflow;

pub use connection::{Supervisor, TaskQueues};
