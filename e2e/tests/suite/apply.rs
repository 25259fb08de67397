//! Section 2 of the acceptance list: what `stigmer apply` does to the store, and what it says.

mod again;
mod discovery;
mod dry_run;
mod fixture_01;
mod fixture_07;
mod organization;
mod pages;
mod partly_refused;
mod together;
