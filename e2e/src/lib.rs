pub mod harness;
pub mod rng;
pub mod services;
pub mod session;
pub mod supervise;
