//! One file per command, and what several of them do alike.

pub mod apply;
pub mod backend;
pub mod completion;
pub mod config;
mod connect;
pub mod execution;
mod follow;
pub mod new;
pub mod resource;
pub mod run;
pub mod server;
pub mod skill;

/// The exit code after Ctrl-C.
pub const INTERRUPTED: u8 = 130;
