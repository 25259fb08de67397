//! Faults that take minutes.

mod flapping;
mod no_worker;
mod race;
