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
mod simple;
mod state;
mod try_catch;

use std::cell::{Cell, RefCell};

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value as Json};
use stigmer_api::workflow_execution::WorkflowTask;

pub use effects::{Awaited, Effect, Effects, Outgoing, Request};
pub use error::{Fault, Stop, TaskError, kind};
pub use state::Constants;

use super::{
    expression::{Scope, Surroundings},
    model::{Action, Named, Task, Workflow},
};
use flow::{Then, position};
use log::{Entry, TaskLog};
use state::{State, World};

/// The most tasks one run may begin. Flow that comes back again and again ends here.
const MAX_TASKS: u32 = 10_000;

/// One run of a workflow.
pub struct Interpreter {
    workflow: Workflow,
    world: World,
    log: RefCell<TaskLog>,
    begun: Cell<u32>,
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
        Self { output, then: (left == Left::Ended).then_some(Then::End) }
    }
}

impl Interpreter {
    /// A run that has not begun.
    pub fn new(workflow: Workflow, constants: Constants) -> Self {
        Self { workflow, world: World::new(constants), log: RefCell::default(), begun: Cell::new(0) }
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
        let left = Run { engine: self, fx: effects.clone() }.list(&self.workflow.tasks, &mut state, "").await;
        let now = written(effects);
        let mut log = self.log.borrow_mut();
        if let Err(stop) = &left {
            let reason = match stop {
                Stop::Failed(_) => "the workflow failed",
                Stop::Interrupted(_) => "the workflow was cancelled",
            };
            log.abandon("", reason, &now);
        }
        log.close(self.workflow.tasks.iter().map(|task| (task.name.as_str(), &task.body.action)));
        let publish = |json: &Json| self.world.constants.environment.publish(json);
        left.map(|_| {
            let data = state.data.iter().map(|(name, value)| (name.clone(), publish(value))).collect();
            Outcome { output: publish(&state.output), data }
        })
    }
}

/// The interpreter with the effects of one branch.
struct Run<'e, E> {
    engine: &'e Interpreter,
    fx: E,
}

impl<E: Effects> Run<'_, E> {
    /// Runs a list; `path` is the id of the place it is in.
    fn list<'a>(&'a self, tasks: &'a [Named<Task>], state: &'a mut State, path: &'a str) -> LocalBoxFuture<'a, Step<Left, E>> {
        Box::pin(async move {
            let mut next = 0;
            while let Some(task) = tasks.get(next) {
                next = match self.task(task, state, path).await? {
                    Then::Continue => next + 1,
                    Then::Exit => return Ok(Left::Finished),
                    Then::End => return Ok(Left::Ended),
                    Then::Task(target) => position(tasks, target).ok_or_else(|| {
                        let message = format!("next target specified but not found: {target}");
                        Stop::Failed(TaskError::new(&task.name, Fault::new(kind::VALIDATION, message)))
                    })?,
                };
            }
            Ok(Left::Finished)
        })
    }

    async fn task<'a>(&self, named: &'a Named<Task>, state: &mut State, path: &str) -> Step<Then<'a>, E> {
        let Named { name, body } = named;
        self.count().map_err(|fault| Stop::Failed(TaskError::new(name, fault)))?;
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let entry = self.engine.log.borrow_mut().start(&path, name, &body.action, &written(&self.fx));
        self.fx.changed();
        state.enter(name);
        let result = self.attempt(named, state, &entry).await;
        self.record_end(&entry, &result, state);
        let own = body.then.as_deref().map(Then::parse);
        Ok(match result? {
            None => Then::Continue,
            Some(then) => then.or(own).unwrap_or(Then::Continue),
        })
    }

    /// Runs a task if its condition holds; `None` when it does not. The state then has its output.
    async fn attempt<'a>(&self, named: &'a Named<Task>, state: &mut State, entry: &Entry) -> Step<Option<Option<Then<'a>>>, E> {
        let Named { name, body } = named;
        let fail = |fault: Fault| Stop::Failed(TaskError::new(name, fault));
        if let Some(condition) = &body.condition {
            let holds = self.scope(state).holds(condition);
            if !holds.map_err(|e| fail(Fault::new(kind::IF, e.to_string())))? {
                return Ok(None);
            }
        }
        let Done { output, then } = self.act(named, state, entry).await?;
        let Task { action, output: shape, export, .. } = body;
        match action {
            Action::Set(_) | Action::Switch(_) | Action::Wait(_) | Action::Raise(_) => {}
            Action::Fork(_) => drop(state.data.insert(name.clone(), fork::as_data(&output))),
            Action::Call(_) | Action::For(_) | Action::Try(_) | Action::Listen(_) | Action::Run(_) => {
                state.data.insert(name.clone(), output.clone());
            }
        }
        state.output = match shape {
            None => output,
            Some(shape) => self.scope_of(state, &output).resolve(shape).map_err(|e| fail(e.into()))?,
        };
        if let Some(shape) = export {
            let exported = self.scope_of(state, &state.output).resolve(shape).map_err(|e| fail(e.into()))?;
            state.context.insert(name.clone(), exported);
        }
        Ok(Some(then))
    }

    async fn act<'a>(&self, named: &'a Named<Task>, state: &mut State, entry: &Entry) -> Step<Done<'a>, E> {
        let Named { name, body } = named;
        let fail = |stop: Stop<Fault, E::Interrupt>| stop.map(|fault| TaskError::new(name, fault));
        match &body.action {
            Action::Set(variables) => self.set(variables, state).map_err(|fault| fail(fault.into())),
            Action::Switch(cases) => self.switch(cases, state).map_err(|fault| fail(fault.into())),
            Action::Raise(error) => self.raise(error, state, entry).map_err(|fault| fail(fault.into())),
            Action::Wait(span) => self.fx.sleep(span.0).await.map(|()| Done::new(Json::Null)).map_err(fail),
            Action::Listen(listen) => self.listen(listen, body.timeout, state).await.map_err(fail),
            Action::Call(call) => self.call(call, named, state, entry).await.map_err(fail),
            Action::Run(run) => self.run_workflow(run, named, state, entry).await.map_err(fail),
            Action::For(body) => self.for_each(body, name, state, entry).await,
            Action::Fork(fork) => self.fork(fork, name, state, entry).await,
            Action::Try(body) => self.try_catch(body, name, state, entry).await,
        }
    }

    fn count(&self) -> Result<(), Fault> {
        let begun = self.engine.begun.get() + 1;
        self.engine.begun.set(begun);
        if begun > MAX_TASKS {
            return Err(Fault::new(kind::LIMIT, format!("the workflow has begun {MAX_TASKS} tasks; does it loop for ever?")));
        }
        Ok(())
    }

    /// Where `.` is the data.
    fn scope<'a>(&'a self, state: &'a State) -> Scope<'a> {
        self.engine.world.scope(state, None, self.surroundings())
    }

    /// Where `.` is the output of the task.
    fn scope_of<'a>(&'a self, state: &'a State, output: &'a Json) -> Scope<'a> {
        self.engine.world.scope(state, Some(output), self.surroundings())
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { now: self.fx.now().as_millisecond() as f64 / 1000.0, seed: self.fx.random() }
    }

    fn publish(&self, json: &Json) -> Json {
        self.engine.world.constants.environment.publish(json)
    }

    fn record_end<T>(&self, entry: &Entry, result: &Step<Option<T>, E>, state: &State) {
        let (mut log, now) = (self.engine.log.borrow_mut(), written(&self.fx));
        match result {
            Ok(None) => log.skip(entry, &now),
            Ok(Some(_)) => log.complete(entry, &self.publish(&state.output), &now),
            Err(Stop::Failed(error)) => {
                // The record's own name need not be repeated, but those of tasks inside it tell where.
                let text = if error.trail.is_empty() { error.fault.message.clone() } else { error.to_string() };
                log.fail(entry, &self.engine.world.constants.environment.mask(&text), &now);
            }
            Err(Stop::Interrupted(_)) => {}
        }
        drop(log);
        self.fx.changed();
    }

    fn record_input(&self, entry: &Entry, input: &Json) {
        self.engine.log.borrow_mut().input(entry, &self.publish(input));
        self.fx.changed();
    }
}

/// The workflow's time as records show it.
fn written(effects: &impl Effects) -> String {
    format!("{:.6}", effects.now())
}

#[cfg(test)]
mod tests;
