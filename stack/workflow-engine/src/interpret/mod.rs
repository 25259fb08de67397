//! Running a workflow: the loop over its tasks, and what each kind does.
//!
//! - Tasks run in order. `then` goes on at another task of the list, with `exit` after the list,
//!   with `end` nowhere; a switch does the same with the case that holds first.
//! - A task's output becomes `$output`. Results of calls, loops, forks, tries, signals, and other
//!   workflows are kept in `$data` under the task's name, and variables of `set` under their own;
//!   what a task exports goes into `$context` under its name.
//! - An iteration and a branch work on a copy of the data. What a loop did is gone after it; what
//!   the tasks of branches gave and exported can be read after the join.
//! - `end` in a loop ends the workflow, in a branch the workflow once all branches are done.

mod calls;
mod effects;
mod error;
pub mod flow;
mod for_each;
mod fork;
mod log;
mod run;
mod simple;
mod state;
mod try_catch;

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value as Json};
use stigmer_api::workflow_execution::WorkflowTask;

pub use effects::{Awaited, Effect, Effects, Outgoing, Request};
pub use error::{Fault, Stop, TaskError, kind};
pub use state::Constants;

use super::model::Workflow;
use flow::Then;
use log::TaskLog;
use run::Run;
use state::World;

/// One run of a workflow.
pub struct Interpreter {
    workflow: Workflow,
    world: World,
    log: RefCell<TaskLog>,
    begun: Cell<u32>,
    /// Tasks begun since one waited for the world.
    in_a_row: Cell<u32>,
}

/// How a run ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The output of its last task.
    pub output: Json,
    /// All of `$data`.
    pub data: Map<String, Json>,
}

/// What a step of the interpreter gives, or why the run stops.
type Step<T, E> = Result<T, Stop<TaskError, <E as Effects>::Interrupt>>;

/// How a list of tasks was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// At its end, or with `exit`.
    Finished,
    /// With `end`.
    Ended,
}

/// What a task gave, and where it says to go on.
struct Done<'t> {
    output: Json,
    then: Option<Then<'t>>,
}

impl Done<'_> {
    fn new(output: Json) -> Self {
        Self { output, then: None }
    }

    /// The outcome of a task that ran a list.
    fn of_list(output: Json, left: Left) -> Self {
        Self {
            output,
            then: (left == Left::Ended).then_some(Then::End),
        }
    }
}

impl Interpreter {
    /// A run that has not begun.
    pub fn new(workflow: Workflow, constants: Constants) -> Self {
        Self {
            workflow,
            world: World::new(constants),
            log: RefCell::default(),
            begun: Cell::new(0),
            in_a_row: Cell::new(0),
        }
    }

    /// The workflow.
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// The record of the tasks so far, in the order in which they began.
    pub fn tasks(&self) -> Vec<WorkflowTask> {
        self.log.borrow().records().to_vec()
    }

    /// Runs the workflow. Afterwards every task of it has a final state in the record.
    ///
    /// # Errors
    ///
    /// The error that no task caught, or the interrupt.
    pub async fn run<E: Effects>(&self, effects: &E) -> Step<Outcome, E> {
        let mut state = self.world.state();
        let left = Run {
            engine: self,
            fx: effects.clone(),
        }
        .list(&self.workflow.tasks, &mut state, "")
        .await;
        let now = written(effects);
        let mut log = self.log.borrow_mut();
        if let Err(stop) = &left {
            let reason = match stop {
                Stop::Failed(_) => "the workflow failed",
                Stop::Interrupted(_) => "the workflow was cancelled",
            };
            log.abandon("", reason, &now);
        }
        log.close(
            self.workflow
                .tasks
                .iter()
                .map(|task| (task.name.as_str(), &task.body.action)),
        );
        let publish = |json: &Json| self.world.constants.environment.publish(json);
        left.map(|_| {
            let data = state
                .data
                .iter()
                .map(|(name, value)| (name.clone(), publish(value)))
                .collect();
            Outcome {
                output: publish(&state.output),
                data,
            }
        })
    }
}

/// The workflow's time as records show it.
fn written(effects: &impl Effects) -> String {
    format!("{:.6}", effects.now())
}

#[cfg(test)]
mod tests;
