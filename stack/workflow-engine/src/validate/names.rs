//! Names: of tasks, cases, branches, and variables; and fields that a kind does not take.

use std::collections::BTreeSet;

use super::Findings;
use crate::{
    interpret::flow::DIRECTIVES,
    model::{Action, Named, Task, Workflow},
};

/// The longest name of a task, in characters.
const MAX_NAME: usize = 100;

pub(super) fn check(workflow: &Workflow, findings: &mut Findings) {
    tasks(&workflow.tasks, &mut BTreeSet::new(), findings);
}

/// A name is used once in the whole workflow, bodies and branches included: it is how tasks refer
/// to each other.
fn tasks<'a>(tasks_: &'a [Named<Task>], seen: &mut BTreeSet<&'a str>, findings: &mut Findings) {
    for Named { name, body } in tasks_ {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            findings.error(
                name,
                "name: must be letters, digits, underscores and hyphens",
            );
        }
        if name.chars().count() > MAX_NAME {
            findings.error(name, format!("name: must be at most {MAX_NAME} characters"));
        }
        if DIRECTIVES.contains(&name.as_str()) {
            findings.error(
                name,
                format!("name: `then: {name}` would not mean this task; choose another name"),
            );
        }
        if !seen.insert(name) {
            findings.error(name, format!("name: duplicate task name: \"{name}\""));
        }
        let limited = matches!(
            body.action,
            Action::Call(_) | Action::Run(_) | Action::Listen(_)
        );
        if body.timeout.is_some() && !limited {
            findings.error(name, "timeout: only a call, run or listen takes one");
        }
        inside(name, body, findings);
        for (_, list) in body.lists() {
            tasks(list, seen, findings);
        }
    }
}

fn inside(name: &str, task: &Task, findings: &mut Findings) {
    match &task.action {
        Action::Switch(cases) => {
            unique(
                name,
                "case",
                cases.iter().map(|case| case.name.as_str()),
                findings,
            );
            let defaults = cases
                .iter()
                .filter(|case| case.body.when.is_none())
                .map(|case| case.name.as_str());
            let defaults = defaults.collect::<Vec<_>>();
            if defaults.len() > 1 {
                findings.error(
                    name,
                    format!(
                        "switch: multiple switch statements without when: {}",
                        defaults.join(", ")
                    ),
                );
            }
        }
        Action::Fork(fork) => unique(
            name,
            "branch",
            fork.branches.iter().map(|(branch, _)| branch.as_str()),
            findings,
        ),
        Action::For(body) => {
            variable(name, "for.each", &body.each, findings);
            variable(name, "for.at", &body.at, findings);
        }
        Action::Try(body) => variable(name, "catch.as", &body.catch.name, findings),
        _ => {}
    }
}

fn unique<'a>(
    task: &str,
    what: &str,
    names: impl Iterator<Item = &'a str>,
    findings: &mut Findings,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            findings.error(task, format!("duplicate {what} name: \"{name}\""));
        }
    }
}

/// A variable is read as `$data.NAME`.
fn variable(task: &str, field: &str, name: &str, findings: &mut Findings) {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        findings.error(
            task,
            format!("{field}: {name:?} is not a variable name (letters, digits and underscores)"),
        );
    }
}
