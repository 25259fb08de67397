//! The server's side of Temporal: the workflows behind executions and validations, what they do in the
//! server, and a connection that is watched and made again by itself.

mod activities;
mod agent_execution;
mod callback;
mod calls;
mod connection;
mod ending;
mod failure;
mod queues;
mod replay;
mod starter;
mod validation;
mod workflow_execution;

pub use connection::Supervisor;
pub use queues::TaskQueues;
pub use replay::replayer;
