//! EXT-04: whatever goes wrong, in whatever order, everything that was accepted comes to its end, and
//! what is promised of side effects holds.

mod balance;
mod load;
mod nightly;
