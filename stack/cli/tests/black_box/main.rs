//! `stigmer` from outside: arguments in; output, exit code, and calls to a server out.

mod apply;
mod command_line;
mod new;
mod resources;
mod run;
mod skill;
mod support;
mod workflows;
