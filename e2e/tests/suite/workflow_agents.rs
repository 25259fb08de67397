//! Section 6 of the acceptance list: workflows that call agents, on fixtures 15 to 19.

mod by_slug;
mod hops;
mod overlapping;
mod pipeline;
mod secrets;
mod settings;
mod simple;
