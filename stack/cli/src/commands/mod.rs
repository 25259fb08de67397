//! One file per command.

pub mod apply;
pub mod backend;
pub mod config;
pub mod run;

/// The exit code after Ctrl-C.
pub const INTERRUPTED: u8 = 130;
