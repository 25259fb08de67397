//! What a workflow means, without Temporal.

pub mod convert;
pub mod document;
pub mod expression;
pub mod interpret;
pub mod model;
pub mod secrets;
pub mod validate;
