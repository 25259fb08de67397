//! The harness that the suite is written with, and what the driver shares with it: supervision of
//! processes, the shared services, and the session that ties tests to a run.

pub mod baseline;
pub mod chaos;
pub mod containers;
pub mod harness;
pub mod load;
pub mod services;
pub mod session;
pub mod supervise;
pub mod tripwire;

/// The suite's only source of chance.
pub mod rng {
    pub use stigmer_e2e_numbers::SplitMix64;
}
