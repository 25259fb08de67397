//! Section 8 of the acceptance list: what goes wrong is said, and leaves nothing behind.

mod invalid_input;
mod programs;
mod projects;
mod unreachable;
