//! Section 1 of the acceptance list: does it start, work, and stop?

mod command_line;
mod start_and_stop;
mod whole_path;
