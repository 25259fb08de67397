//! Section 2 of the acceptance list: what `stigmer apply` does to the store, and what it says.

mod again;
mod discovery;
mod fixture_01;
