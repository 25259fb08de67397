//! Chaos: what goes wrong with a stack at work, when, and for how long. The [`Schedule`] is a pure
//! function of a seed; [`unleash`] makes it happen to an environment.

mod disk;
mod disturb;
mod schedule;

pub use disturb::{ChaosError, Inflicted, unleash, withstands_a_full_disk};
pub use schedule::{Disturbance, Place, Planned, Schedule, Victim};
