//! What a workflow means, without Temporal.
//!
//! A stored spec becomes a `model` by `convert`, is checked by `validate`, travels as a `document`,
//! and is run by `interpret`; `expression` is the jq in its texts, and `secrets` keeps what must not
//! be seen out of everything.

pub mod convert;
pub mod document;
pub mod expression;
pub mod interpret;
pub mod model;
pub mod secrets;
pub mod validate;
