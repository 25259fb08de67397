//! Section 7 of the acceptance list: watching executions.

mod agents;
mod follow;
mod refused;
mod subscribers;
mod watching;
mod workflows;
