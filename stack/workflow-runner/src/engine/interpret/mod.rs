//! Running a workflow.

pub mod flow;
