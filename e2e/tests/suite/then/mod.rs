//! The common "then" of the acceptance list, applied to every scenario of its section.

mod applied;
mod executed;
mod refused;

pub use applied::{Applied, applied, dry_run};
pub use executed::{Finished, check_phases, completed, finished, phase_of, started};
pub use refused::Refusal;
