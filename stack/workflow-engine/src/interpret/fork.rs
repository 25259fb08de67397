//! Branches.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value as Json};

use super::{
    Done, Effects, Fault, Left, Run, Step, Stop, TaskError, kind, log::Entry, state::State, written,
};
use crate::model::{Fork, Named, Task};

/// A branch that has ended: its state, and how.
type Ended<E> = (State, Step<Left, E>);

impl<E: Effects> Run<'_, E> {
    /// Runs the branches side by side. The output has what each gave, by its name; of competing
    /// branches, only the first that succeeds.
    pub(super) async fn fork<'a>(
        &self,
        fork: &'a Fork,
        name: &str,
        state: &mut State,
        entry: &Entry,
    ) -> Step<Done<'a>, E> {
        let all = self.fx.branch();
        let mut running = fork
            .branches
            .iter()
            .map(|(branch, tasks)| {
                Some(self.start_branch(&all, branch, tasks, state.clone(), entry))
            })
            .collect::<Vec<_>>();
        stigmer_fault::inject!(BranchSkipped, {
            running.pop();
        });
        let mut ended = running
            .iter()
            .map(|_| None)
            .collect::<Vec<Option<Ended<E>>>>();
        poll_fn(|cx| poll_in_order::<E>(&mut running, &mut ended, fork.compete, cx)).await;
        if running.iter().any(Option::is_some) {
            // Cancelled before they are dropped: dropping alone would leave timers and activities.
            all.cancel();
            let reason = if fork.compete {
                "another branch was first"
            } else {
                "another branch failed"
            };
            self.engine
                .log
                .borrow_mut()
                .abandon(&entry.id, reason, &written(&self.fx));
        }
        drop(running);
        let mut outcomes = fork
            .branches
            .iter()
            .zip(ended)
            .filter_map(|((branch, tasks), end)| Some((branch, tasks, end?)));
        if fork.compete {
            return win::<E>(outcomes, name, state);
        }
        let (mut outputs, mut left) = (Map::new(), Left::Finished);
        outcomes.try_for_each(|(branch, tasks, (inner, end))| {
            if end.map_err(|stop| inside(stop, name, branch))? == Left::Ended {
                left = Left::Ended;
            }
            outputs.insert(branch.clone(), (*inner.output).clone());
            join(state, &inner, tasks);
            Ok(())
        })?;
        Ok(Done::of_list(Json::Object(outputs), left))
    }

    fn start_branch<'a>(
        &'a self,
        effects: &E,
        branch: &str,
        tasks: &'a [Named<Task>],
        mut state: State,
        entry: &Entry,
    ) -> LocalBoxFuture<'a, Ended<E>> {
        let run = Run {
            engine: self.engine,
            fx: effects.branch(),
        };
        let path = format!("{}/{branch}", entry.id);
        Box::pin(async move {
            let left = run.list(tasks, &mut state, &path).await;
            (state, left)
        })
    }
}

/// Polls every branch that has not ended, always in the same order, so that a replay takes the same
/// course. Ready when all have ended, or one has decided: by success when they compete, else by
/// failure.
fn poll_in_order<E: Effects>(
    running: &mut [Option<LocalBoxFuture<'_, Ended<E>>>],
    ended: &mut [Option<Ended<E>>],
    compete: bool,
    cx: &mut Context<'_>,
) -> Poll<()> {
    for (branch, end) in running.iter_mut().zip(ended) {
        let Some(Poll::Ready(outcome)) = branch.as_mut().map(|branch| branch.as_mut().poll(cx))
        else {
            continue;
        };
        *branch = None;
        let decided = match &outcome.1 {
            Ok(_) => compete,
            Err(Stop::Failed(_)) => !compete,
            Err(Stop::Interrupted(_)) => true,
        };
        *end = Some(outcome);
        if decided {
            return Poll::Ready(());
        }
    }
    if running.iter().all(Option::is_none) {
        Poll::Ready(())
    } else {
        Poll::Pending
    }
}

/// The first branch that succeeded, else the interrupt, else the last failure.
fn win<'a, 't, E: Effects>(
    outcomes: impl Iterator<Item = (&'t String, &'t Vec<Named<Task>>, Ended<E>)>,
    name: &str,
    state: &mut State,
) -> Step<Done<'a>, E> {
    let mut stopped = None;
    for (branch, tasks, (inner, end)) in outcomes {
        match end {
            Ok(left) => {
                join(state, &inner, tasks);
                let output = Map::from_iter([(branch.clone(), Arc::unwrap_or_clone(inner.output))]);
                return Ok(Done::of_list(Json::Object(output), left));
            }
            Err(Stop::Interrupted(interrupt)) => return Err(Stop::Interrupted(interrupt)),
            Err(stop) => stopped = Some(inside(stop, name, branch)),
        }
    }
    Err(stopped.unwrap_or_else(|| {
        Stop::Failed(TaskError::new(
            name,
            Fault::new(kind::VALIDATION, "a fork without branches"),
        ))
    }))
}

/// What `$data` keeps of a fork: its output, which can also be read as authors write it,
/// `${ .fork.branches.NAME }`.
pub(super) fn as_data(output: &Json) -> Json {
    let mut data = output.clone();
    if let Json::Object(branches) = &mut data
        && !branches.contains_key("branches")
    {
        branches.insert("branches".to_owned(), output.clone());
    }
    data
}

fn inside<I>(stop: Stop<TaskError, I>, name: &str, branch: &str) -> Stop<TaskError, I> {
    stop.map(|error| {
        error.inside(
            name,
            Some(&format!("error executing forked branch {branch}")),
        )
    })
}

/// Brings home what the tasks of a branch gave and exported; its variables stay there.
fn join(state: &mut State, branch: &State, tasks: &[Named<Task>]) {
    for task in tasks {
        for (from, to) in [
            (&branch.data, &mut state.data),
            (&branch.context, &mut state.context),
        ] {
            if let Some(value) = from.get(&task.name) {
                to.insert(task.name.clone(), value.clone());
            }
        }
        for (_, inner) in task.body.lists() {
            join(state, branch, inner);
        }
    }
}
