//! Section 12 of the acceptance list: what is missing is said before anything is started.

mod connections;
mod listeners;
mod missing;
mod model;
mod needless;
mod pinned;
mod probes;
mod services;
