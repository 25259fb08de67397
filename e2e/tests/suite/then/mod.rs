//! The common "then" of the acceptance list, applied to every scenario of its section.

mod applied;
mod executed;
mod refused;
pub mod workflow;

pub use applied::{Applied, applied, dry_run};
pub use executed::{
    Execution, Finished, check_phases, completed, finished, is_over, phase_of, started,
};
pub use refused::Refusal;
