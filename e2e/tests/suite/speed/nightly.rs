//! Takes minutes, and wants the machine for itself: `cargo xtask e2e --tier nightly speed --jobs 1`.

mod agents;
mod bare;
mod cost;
pub mod direct;
mod ended;
mod requests;
mod spread;
mod starts;
mod stream;
mod workflows;
