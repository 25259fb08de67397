//! Section 14 of the acceptance list: what a run leaves behind to be read.

mod aborted;
mod failures;
mod results;
mod secrets;
