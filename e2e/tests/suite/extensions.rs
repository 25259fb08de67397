//! Section 15 of the acceptance list: what was wanted and never built.

mod ci;
mod completion;
mod control;
mod looking;
mod machine_readable;
mod new_project;
mod remote_mode;
mod skills;
mod upgrade;
