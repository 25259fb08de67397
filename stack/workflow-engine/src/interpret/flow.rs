//! Where the flow goes after a task.

use crate::model::{Named, Task};

/// What `then` may say besides the name of a task.
pub const DIRECTIVES: [&str; 3] = ["continue", "exit", "end"];

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then<'a> {
    /// At the next task of the list.
    Continue,
    /// After the list.
    Exit,
    /// Nowhere: the workflow ends.
    End,
    /// At this task of the list, and from there on.
    Task(&'a str),
}

impl<'a> Then<'a> {
    /// What `then` says.
    pub fn parse(then: &'a str) -> Self {
        match then {
            "continue" => Self::Continue,
            "exit" => Self::Exit,
            "end" => Self::End,
            name => Self::Task(name),
        }
    }
}

/// Where in the list the task of this name stands.
pub fn position(tasks: &[Named<Task>], name: &str) -> Option<usize> {
    tasks.iter().position(|task| task.name == name)
}
