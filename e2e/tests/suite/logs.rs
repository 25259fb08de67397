//! Section 14 of the acceptance list: what a run leaves behind to be read.

mod aborted;
mod counts;
mod coverage;
mod failures;
mod history;
mod invariants;
mod nightly;
mod results;
mod secrets;
