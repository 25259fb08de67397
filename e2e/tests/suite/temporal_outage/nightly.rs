//! Faults that take minutes.

mod flapping;
mod long;
mod no_worker;
mod race;
mod silent;
