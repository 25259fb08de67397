//! Flow: every target exists, and nothing runs in circles for ever.

use super::Findings;
use crate::{
    interpret::flow::{Then, position},
    model::{Action, Named, Task},
};

/// Checks a list and the lists inside its tasks.
pub(super) fn check(tasks: &[Named<Task>], findings: &mut Findings) {
    let errors = findings.errors.len();
    for task in tasks {
        for (field, then) in targets(&task.body) {
            if let Then::Task(target) = Then::parse(then)
                && position(tasks, target).is_none()
            {
                let targets = "a task of the same list, `continue`, `exit` or `end` is allowed";
                findings.error(
                    &task.name,
                    format!("{field}: next target specified but not found: {target} ({targets})"),
                );
            }
        }
        for (_, list) in task.body.lists() {
            check(list, findings);
        }
    }
    if findings.errors.len() == errors {
        circles(tasks, findings);
    }
}

/// Where a task says it goes, and in which field.
pub(super) fn targets(task: &Task) -> Vec<(String, &str)> {
    let own = task.then.as_deref().map(|then| ("then".to_owned(), then));
    let cases = match &task.action {
        Action::Switch(cases) => cases.as_slice(),
        _ => &[],
    };
    let cases = cases.iter().map(|case| {
        (
            format!("switch.{}.then", case.name),
            case.body.then.as_str(),
        )
    });
    own.into_iter().chain(cases).collect()
}

/// A task from which no way leads out of the list, whatever the conditions, would repeat for ever.
/// One that no way leads to never runs.
fn circles(tasks: &[Named<Task>], findings: &mut Findings) {
    let ways = (0..tasks.len())
        .map(|at| ways(tasks, at))
        .collect::<Vec<_>>();
    let mut reached = vec![false; tasks.len()];
    let mut next = if tasks.is_empty() { vec![] } else { vec![0] };
    while let Some(at) = next.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            next.extend(ways[at].iter().flatten());
        }
    }
    let mut leaves = vec![false; tasks.len()];
    let mut grown = true;
    while grown {
        grown = false;
        for at in 0..tasks.len() {
            if !leaves[at]
                && ways[at]
                    .iter()
                    .any(|way| way.is_none_or(|next| leaves[next]))
            {
                leaves[at] = true;
                grown = true;
            }
        }
    }
    let names = |wanted: &dyn Fn(usize) -> bool| {
        let names = tasks
            .iter()
            .enumerate()
            .filter(|(at, _)| wanted(*at))
            .map(|(_, task)| task.name.as_str());
        names.collect::<Vec<_>>()
    };
    let trapped = names(&|at| reached[at] && !leaves[at]);
    if let [first, ..] = trapped.as_slice() {
        findings.error(
            first,
            format!(
                "then: circular flow without an exit: {}",
                trapped.join(" -> ")
            ),
        );
    }
    for name in names(&|at| !reached[at]) {
        findings.warning(name, "never runs: every way goes past it");
    }
}

/// The tasks that may come next; `None` is the end of the list.
fn ways(tasks: &[Named<Task>], at: usize) -> Vec<Option<usize>> {
    let Task {
        action,
        condition,
        then,
        ..
    } = &tasks[at].body;
    let successor = Some(at + 1).filter(|next| *next < tasks.len());
    let to = |then: &str| match Then::parse(then) {
        Then::Continue => successor,
        Then::Exit | Then::End => None,
        Then::Task(target) => position(tasks, target),
    };
    let after = then.as_deref().map_or(successor, to);
    let mut ways = Vec::new();
    match action {
        Action::Raise(_) => ways.push(None),
        Action::Switch(cases) => {
            ways.extend(cases.iter().map(|case| to(&case.body.then)));
            if cases.iter().all(|case| case.body.when.is_some()) {
                ways.push(after);
            }
        }
        _ => ways.push(after),
    }
    if condition.is_some() {
        ways.push(successor);
    }
    ways
}
