//! Section 3 of the acceptance list: what `stigmer run` starts, shows, and leaves behind.

mod at_once;
mod by_name;
mod deleted;
mod environment;
mod follow;
mod in_a_project;
mod nightly;
mod same_name;
mod workflows;
