//! Section 5 of the acceptance list: every fixture, applied and run.

mod agents;
mod batches;
mod branches;
mod data;
pub mod github;
mod kinds;
mod parallel;
mod pulls;
mod resilient;
mod secrets;
mod stored;
mod synthesis;
mod table;
mod waiting;
