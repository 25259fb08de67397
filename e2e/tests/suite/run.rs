//! Section 3 of the acceptance list: what `stigmer run` starts, shows, and leaves behind.

mod by_name;
mod follow;
mod in_a_project;
