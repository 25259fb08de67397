//! Expressions: they are jq, and what they take out of `$context` and `$data` can be there.
//!
//! A task's results can be read by the tasks after it, and by those before it when the flow can
//! come back to them. What a loop does inside stays there; what branches export can be read once
//! they are joined; a catch sees what its try did.

use std::collections::BTreeMap;

use super::{Findings, flow::targets, texts, texts::Text};
use crate::{
    expression,
    interpret::flow::{Then, position},
    model::{Action, Named, Task, Workflow},
};

/// Where a task stands: from the workflow's own list down to the list it is in.
type Place<'a> = Vec<Step<'a>>;

/// A position in a list.
#[derive(Clone, Copy)]
struct Step<'a> {
    list: &'a [Named<Task>],
    at: usize,
}

impl<'a> Step<'a> {
    fn task(&self) -> &'a Task {
        &self.list[self.at].body
    }

    fn same_list(&self, other: &Self) -> bool {
        std::ptr::eq(self.list, other.list)
    }
}

/// What can be read, and the tasks that make it.
#[derive(Default)]
struct Sources<'a> {
    tasks: BTreeMap<&'a str, Place<'a>>,
    variables: BTreeMap<&'a str, Vec<Place<'a>>>,
}

pub(super) fn check(workflow: &Workflow, findings: &mut Findings) {
    let mut sources = Sources::default();
    let mut places = Vec::new();
    collect(&workflow.tasks, &Vec::new(), &mut sources, &mut places);
    for place in &places {
        // A place is never empty: it ends with the task itself.
        let Some(here) = place.last() else { continue };
        for text in texts::of(here.task()) {
            check_text(&text, place, &here.list[here.at].name, &sources, findings);
        }
    }
}

fn collect<'a>(
    list: &'a [Named<Task>],
    above: &Place<'a>,
    sources: &mut Sources<'a>,
    places: &mut Vec<Place<'a>>,
) {
    for (at, task) in list.iter().enumerate() {
        let mut place = above.clone();
        place.push(Step { list, at });
        sources.tasks.insert(&task.name, place.clone());
        if let Action::Set(variables) = &task.body.action {
            for name in variables.keys() {
                sources
                    .variables
                    .entry(name)
                    .or_default()
                    .push(place.clone());
            }
        }
        places.push(place.clone());
        for (_, tasks) in task.body.lists() {
            collect(tasks, &place, sources, places);
        }
    }
}

fn check_text(
    text: &Text<'_>,
    place: &Place<'_>,
    name: &str,
    sources: &Sources<'_>,
    findings: &mut Findings,
) {
    let found = if text.condition {
        expression::references_of_condition(text.text)
    } else {
        expression::references(text.text)
    };
    let references = match found {
        Ok(references) => references,
        Err(error) => return findings.error(name, format!("{}: {error}", text.field)),
    };
    for (variable, field) in references {
        let problem = match variable.as_str() {
            "$context" => context(&field, text, place, sources),
            "$data" => data(&field, text, place, sources),
            _ => Ok(None),
        };
        match problem {
            Ok(None) => {}
            Ok(Some(warning)) => findings.warning(
                name,
                format!("{}: {variable}.{field}: {warning}", text.field),
            ),
            Err(problem) => findings.error(
                name,
                format!("{}: {variable}.{field} {problem}", text.field),
            ),
        }
    }
}

fn context(
    field: &str,
    text: &Text<'_>,
    place: &Place<'_>,
    sources: &Sources<'_>,
) -> Result<Option<String>, String> {
    let Some(source) = sources.tasks.get(field) else {
        return Err("names no task".to_owned());
    };
    if !readable(source, place, text.after, true) {
        return Err(format!("names no earlier task: '{field}' has not run then"));
    }
    let exports = source
        .last()
        .is_some_and(|step| step.task().export.is_some());
    Ok((!exports).then(|| format!("is null, since task '{field}' exports nothing")))
}

fn data(
    field: &str,
    text: &Text<'_>,
    place: &Place<'_>,
    sources: &Sources<'_>,
) -> Result<Option<String>, String> {
    if field == "task" || field.starts_with("__") || in_scope(field, place) {
        return Ok(None);
    }
    let of_task = sources.tasks.get(field);
    let of_set = sources.variables.get(field);
    let made = of_task.is_some_and(|source| readable(source, place, text.after, true))
        || of_set
            .into_iter()
            .flatten()
            .any(|source| readable(source, place, text.after, false));
    match (made, of_task.is_some() || of_set.is_some()) {
        (true, _) => Ok(None),
        (false, true) => Err("names no earlier task or variable: it is not set then".to_owned()),
        (false, false) => Err("names no task and no variable".to_owned()),
    }
}

/// Whether `name` is a variable of a loop or catch around the place.
fn in_scope(name: &str, place: &Place<'_>) -> bool {
    place.iter().enumerate().any(|(depth, step)| {
        let below = place.get(depth + 1);
        match &step.task().action {
            // `while` and what the body holds see the item; what makes the items does not.
            Action::For(body) => {
                (name == body.each || name == body.at)
                    && (below.is_some() || body.condition.is_some())
            }
            Action::Try(body) => {
                name == body.catch.name
                    && below
                        .is_none_or(|below| std::ptr::eq(below.list, body.catch.tasks.as_slice()))
            }
            _ => false,
        }
    })
}

/// Whether what the task at `source` made can be read at `reader`. Results of tasks leave the
/// branches of a fork, variables do not.
fn readable(source: &Place<'_>, reader: &Place<'_>, after: bool, leaves_branches: bool) -> bool {
    let common = source
        .iter()
        .zip(reader)
        .take_while(|(a, b)| a.same_list(b) && a.at == b.at)
        .count();
    let leaves = |from: usize| {
        source[from..source.len() - 1]
            .iter()
            .all(|step| match step.task().action {
                Action::For(_) => false,
                Action::Fork(_) => leaves_branches,
                _ => true,
            })
    };
    match (source.get(common), reader.get(common)) {
        (Some(from), Some(to)) if from.same_list(to) => {
            leaves(common) && (from.at < to.at || comes_back(from.list, from.at, to.at))
        }
        // Two lists of one task: a catch may read what its try did.
        (Some(from), Some(to)) => match &source[common - 1].task().action {
            Action::Try(body) => {
                std::ptr::eq(from.list, body.tasks.as_slice())
                    && std::ptr::eq(to.list, body.catch.tasks.as_slice())
                    && leaves(common)
            }
            _ => false,
        },
        // A task inside the reader, which has run by the time the reader exports.
        (Some(_), None) => after && leaves(common - 1),
        // The reader itself or a task around it: from an earlier round, or its own output.
        (None, _) => {
            let own = source[common - 1];
            (after && source.len() == reader.len()) || comes_back(own.list, own.at, own.at)
        }
    }
}

/// Whether the flow can jump from at or after `late` back to at or before `early`.
fn comes_back(list: &[Named<Task>], late: usize, early: usize) -> bool {
    list[late..].iter().any(|task| {
        targets(&task.body)
            .iter()
            .any(|(_, then)| match Then::parse(then) {
                Then::Task(target) => position(list, target).is_some_and(|at| at <= early),
                _ => false,
            })
    })
}
