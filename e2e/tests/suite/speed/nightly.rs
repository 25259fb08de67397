//! Takes minutes, and wants the machine for itself: `cargo xtask e2e --tier nightly speed --jobs 1`.

mod direct;
mod requests;
mod spread;
mod workflows;
