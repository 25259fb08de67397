//! The harness that the suite is written with, and what the driver shares with it: supervision of
//! processes, the shared services, and the session that ties tests to a run.

pub mod harness;
pub mod rng;
pub mod services;
pub mod session;
pub mod supervise;
