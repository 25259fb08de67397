//! `cargo xtask` from outside: what it hands over, what it refuses, and how it ends.

mod afterwards;
mod archive;
mod culprit;
mod flakes;
mod handing_over;
mod index;
mod interrupted;
mod packages;
mod pins;
mod prerequisites;
mod refusals;
mod signals;
mod test_verb;
mod updates;
mod world;
