//! What a workflow means, without Temporal.

pub mod expression;
