//! Numbers that come with what they are worth: bounds of failure rates, a rule for when to stop
//! counting, medians with their spread, and intervals around them. Pure: the same input, and where
//! chance is drawn the same seed, give the same numbers.

mod bootstrap;
mod proportion;
mod rng;
mod sample;
mod sequential;
mod trend;

pub use bootstrap::{Bootstrap, Interval};
pub use proportion::{clean_runs_for, lower_bound, upper_bound};
pub use rng::SplitMix64;
pub use sample::Sample;
pub use sequential::{Decision, Sprt};
pub use trend::slope;

/// The confidence that every bound of this repository is stated with.
pub const CONFIDENCE: f64 = 0.95;
