//! The loop over tasks.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use serde_json::Value as Json;

use super::{
    Done, Effect, Effects, Fault, Interpreter, Left, Step, Stop, TaskError,
    flow::{Then, position},
    fork, kind,
    log::Entry,
    state::State,
    written,
};
use crate::{
    expression::{Scope, Surroundings},
    model::{Action, Named, Task},
};

/// The most tasks one run may begin. Flow that comes back again and again ends here, well before
/// Temporal would end it for the length of its history.
const MAX_TASKS: u32 = 5_000;

/// The most tasks in a row that ask nothing of the world before it gets a turn: Temporal takes a
/// workflow that computes for 10 s without coming back for lost, and begins it anew.
const IN_A_ROW: u32 = 50;

/// The interpreter with the effects of one branch.
pub(super) struct Run<'e, E> {
    pub(super) engine: &'e Interpreter,
    pub(super) fx: E,
}

impl<E: Effects> Run<'_, E> {
    /// Runs a list; `path` is the id of the place it is in.
    pub(super) fn list<'a>(
        &'a self,
        tasks: &'a [Named<Task>],
        state: &'a mut State,
        path: &'a str,
    ) -> LocalBoxFuture<'a, Step<Left, E>> {
        Box::pin(async move {
            let mut next = 0;
            while let Some(task) = tasks.get(next) {
                next = match self.task(task, state, path).await? {
                    Then::Continue => next + 1,
                    Then::Exit => return Ok(Left::Finished),
                    Then::End => return Ok(Left::Ended),
                    Then::Task(target) => position(tasks, target).ok_or_else(|| {
                        let message = format!("next target specified but not found: {target}");
                        Stop::Failed(TaskError::new(
                            &task.name,
                            Fault::new(kind::VALIDATION, message),
                        ))
                    })?,
                };
            }
            Ok(Left::Finished)
        })
    }

    async fn task<'a>(
        &self,
        named: &'a Named<Task>,
        state: &mut State,
        path: &str,
    ) -> Step<Then<'a>, E> {
        let Named { name, body } = named;
        self.count()
            .map_err(|fault| Stop::Failed(TaskError::new(name, fault)))?;
        self.let_the_world_turn(&body.action)
            .await
            .map_err(|stop| stop.map(|fault| TaskError::new(name, fault)))?;
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}/{name}")
        };
        let entry =
            self.engine
                .log
                .borrow_mut()
                .start(&path, name, &body.action, &written(&self.fx));
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
    async fn attempt<'a>(
        &self,
        named: &'a Named<Task>,
        state: &mut State,
        entry: &Entry,
    ) -> Step<Option<Option<Then<'a>>>, E> {
        let Named { name, body } = named;
        let fail = |fault: Fault| Stop::Failed(TaskError::new(name, fault));
        if let Some(condition) = &body.condition {
            let holds = self.scope(state).holds(condition);
            if !holds.map_err(|e| fail(Fault::new(kind::IF, e.to_string())))? {
                return Ok(None);
            }
        }
        let Done { output, then } = self.act(named, state, entry).await?;
        let Task {
            action,
            output: shape,
            export,
            ..
        } = body;
        let output = Arc::new(output);
        match action {
            Action::Set(_) | Action::Switch(_) | Action::Wait(_) | Action::Raise(_) => {}
            Action::Fork(_) => state.set(name, fork::as_data(&output)),
            Action::Call(_)
            | Action::For(_)
            | Action::Try(_)
            | Action::Listen(_)
            | Action::Run(_) => state.set(name, output.clone()),
        }
        state.output = match shape {
            None => output,
            Some(shape) => {
                let shaped = self.scope_of(state, &output).resolve(shape);
                shaped.map_err(|e| fail(e.into()))?.into()
            }
        };
        if let Some(shape) = export {
            let exported = self.scope_of(state, &state.output).resolve(shape);
            let exported = exported.map_err(|e| fail(e.into()))?;
            state.context.insert(name.clone(), exported.into());
        }
        Ok(Some(then))
    }

    async fn act<'a>(
        &self,
        named: &'a Named<Task>,
        state: &mut State,
        entry: &Entry,
    ) -> Step<Done<'a>, E> {
        let Named { name, body } = named;
        let fail = |stop: Stop<Fault, E::Interrupt>| stop.map(|fault| TaskError::new(name, fault));
        match &body.action {
            Action::Set(variables) => self
                .set(variables, state)
                .map_err(|fault| fail(fault.into())),
            Action::Switch(cases) => self
                .switch(cases, state)
                .map_err(|fault| fail(fault.into())),
            Action::Raise(error) => self
                .raise(error, state, entry)
                .map_err(|fault| fail(fault.into())),
            Action::Wait(span) => self
                .fx
                .sleep(span.0)
                .await
                .map(|()| Done::new(Json::Null))
                .map_err(fail),
            Action::Listen(listen) => self.listen(listen, body.timeout, state).await.map_err(fail),
            Action::Call(call) => self.call(call, named, state, entry).await.map_err(fail),
            Action::Run(run) => self
                .run_workflow(run, named, state, entry)
                .await
                .map_err(fail),
            Action::For(body) => self.for_each(body, name, state, entry).await,
            Action::Fork(fork) => self.fork(fork, name, state, entry).await,
            Action::Try(body) => self.try_catch(body, name, state, entry).await,
        }
    }

    /// Waits for a moment when many tasks have run without waiting.
    async fn let_the_world_turn(&self, action: &Action) -> Effect<(), E::Interrupt> {
        let in_a_row = &self.engine.in_a_row;
        match action {
            Action::Call(_) | Action::Run(_) => in_a_row.set(0),
            _ => in_a_row.set(in_a_row.get() + 1),
        }
        if in_a_row.get() > IN_A_ROW {
            in_a_row.set(1);
            self.fx.take_turns().await?;
        }
        Ok(())
    }

    fn count(&self) -> Result<(), Fault> {
        let begun = self.engine.begun.get() + 1;
        self.engine.begun.set(begun);
        if begun > MAX_TASKS {
            return Err(Fault::new(
                kind::LIMIT,
                format!("the workflow has begun {MAX_TASKS} tasks; does it loop for ever?"),
            ));
        }
        Ok(())
    }

    /// Where `.` is the data.
    pub(super) fn scope<'a>(&'a self, state: &'a State) -> Scope<'a> {
        self.engine.world.scope(state, None, self.surroundings())
    }

    /// Where `.` is the output of the task.
    fn scope_of<'a>(&'a self, state: &'a State, output: &'a Json) -> Scope<'a> {
        self.engine
            .world
            .scope(state, Some(output), self.surroundings())
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            now: self.fx.now().as_millisecond() as f64 / 1000.0,
            seed: self.fx.random(),
        }
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
                let text = if error.trail.is_empty() {
                    error.fault.message.clone()
                } else {
                    error.to_string()
                };
                log.fail(
                    entry,
                    &self.engine.world.constants.environment.mask(&text),
                    &now,
                );
            }
            Err(Stop::Interrupted(_)) => {}
        }
        drop(log);
        self.fx.changed();
    }

    pub(super) fn record_input(&self, entry: &Entry, input: &Json) {
        self.engine
            .log
            .borrow_mut()
            .input(entry, &self.publish(input));
        self.fx.changed();
    }
}
