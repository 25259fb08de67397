//! Section 2 of the acceptance list: what `stigmer apply` does to the store, and what it says.

mod discovery;
mod fixture_01;
mod again;
