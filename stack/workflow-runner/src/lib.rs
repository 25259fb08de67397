//! The workflow-runner.

pub mod engine;
