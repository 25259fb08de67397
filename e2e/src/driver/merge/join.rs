//! Several runs as one: which tests there are, how each ended, and what is missing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::Value;
use stigmer_e2e_plan::{ExitCode, Selection, failure, read_json};

use crate::results::{TestOutcome, TestVerdict, function};

/// One run.
#[derive(Debug)]
pub struct Part {
    /// Its results folder.
    pub folder: Utf8PathBuf,
    /// Its `run.json`, as far as merging depends on it.
    pub run: Run,
    /// The whole of it.
    pub raw: Value,
    /// Its events.
    pub events: Vec<Value>,
    /// The tests that were to run in it.
    pub outcomes: Vec<TestOutcome>,
}

/// `run.json`, as far as merging depends on it.
#[derive(Debug, Deserialize)]
pub struct Run {
    /// Names the run.
    pub run_id: String,
    /// Nothing when it did not end.
    pub exit_code: Option<u8>,
    /// Why it did not simply pass.
    pub cause: Option<String>,
    /// Which tests were asked for.
    pub selection: Selection,
    /// What was selected before the shard was cut.
    #[serde(default)]
    pub shard_of: Vec<String>,
    order: Vec<String>,
    git: Option<Git>,
    /// Processes that had to be killed.
    pub forced_kills: usize,
    /// Processes that were left.
    pub leftovers: Option<usize>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Git {
    revision: String,
}

/// Several runs as one.
#[derive(Debug, Default)]
pub struct Joined {
    /// The paths of all tests that should have run.
    pub selected: BTreeSet<String>,
    /// How each test ended; the worst of its ends when there were several.
    pub outcomes: Vec<TestOutcome>,
    /// The tests in the order of the parts.
    pub order: Vec<String>,
    /// What makes the whole red, whatever the tests say.
    pub problems: Vec<String>,
    /// A line for each test that ran in several parts.
    pub twice: Vec<String>,
}

impl Part {
    /// Reads the run in `folder`, which may have been copied from another machine.
    ///
    /// # Errors
    ///
    /// [`ExitCode::Usage`] when it is no results folder.
    pub fn read(folder: &Utf8Path) -> Result<Self> {
        let refused = |why: String| {
            let fix = "name results folders, whole";
            failure(
                ExitCode::Usage,
                format!("{folder} is no results folder: {why}"),
                fix,
            )
        };
        let file = folder.join("run.json");
        let raw: Value = read_json(&file).map_err(|error| refused(format!("{error:#}")))?;
        let run = Run::deserialize(&raw).map_err(|error| refused(format!("{file}: {error}")))?;
        let text = std::fs::read_to_string(folder.join("events.jsonl"));
        let text = text.map_err(|error| refused(format!("events.jsonl: {error}")))?;
        // The last line of a run that was killed may not be whole.
        let events: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let outcomes = outcomes(&run.order, &events);
        Ok(Self {
            folder: folder.to_owned(),
            run,
            raw,
            events,
            outcomes,
        })
    }

    fn name(&self) -> String {
        match self.run.selection.shard {
            Some(shard) => format!("shard {shard} ({})", self.folder),
            None => self.folder.to_string(),
        }
    }

    /// What is wrong with the run beyond tests that failed.
    fn problem(&self) -> Option<String> {
        let cause = self.run.cause.as_deref().unwrap_or("no cause was written");
        match self.run.exit_code {
            None => Some(format!("{} did not end", self.name())),
            Some(0) => None,
            Some(_) if self.outcomes.iter().any(TestOutcome::is_red) => None,
            Some(code) => Some(format!("{} ended with {code}: {cause}", self.name())),
        }
    }
}

/// The last event of each test of `order`; one without any did not begin.
fn outcomes(order: &[String], events: &[Value]) -> Vec<TestOutcome> {
    let mut last: BTreeMap<&str, TestOutcome> = BTreeMap::new();
    for event in events {
        let name = event["name"].as_str().unwrap_or_default();
        match event["event"].as_str() {
            Some("test-ended") => {
                if let Ok(outcome) = TestOutcome::deserialize(event) {
                    last.insert(name, outcome);
                }
            }
            Some("test-started") => {
                let mut begun = TestOutcome::new(name, &[]);
                begun.verdict = TestVerdict::Running;
                last.insert(name, begun);
            }
            _ => {}
        }
    }
    order
        .iter()
        .map(|test| {
            last.remove(test.as_str())
                .unwrap_or_else(|| TestOutcome::new(test, &[]))
        })
        .collect()
}

/// Joins `parts`.
pub fn join(parts: &[Part]) -> Joined {
    let mut joined = Joined {
        problems: shards(parts),
        ..Joined::default()
    };
    joined.problems.extend(commits(parts));
    joined
        .problems
        .extend(parts.iter().filter_map(Part::problem));
    let mut ends: BTreeMap<&str, Vec<(&Part, &TestOutcome)>> = BTreeMap::new();
    for part in parts {
        joined.selected.extend(part.run.shard_of.iter().cloned());
        for outcome in &part.outcomes {
            let of_test = ends.entry(&outcome.name).or_default();
            if of_test.is_empty() {
                joined.order.push(outcome.name.clone());
            }
            of_test.push((part, outcome));
        }
    }
    for test in &joined.order {
        let ends = &ends[test.as_str()];
        let (_, worst) = ends
            .iter()
            .max_by_key(|(_, outcome)| gravity(outcome.verdict))
            .expect("each test has an end");
        joined.outcomes.push((*worst).clone());
        if ends.len() > 1 {
            let each = ends.iter().map(|(part, outcome)| {
                let verdict = format!("{:?}", outcome.verdict).to_lowercase();
                format!("{verdict} in {}", part.name())
            });
            let each: Vec<_> = each.collect();
            let name = function(test);
            joined.twice.push(format!(
                "{name} ran {} times: {}",
                ends.len(),
                each.join(", ")
            ));
        }
    }
    joined.selected.extend(joined.order.iter().cloned());
    // Tests that are in no part are in the tables, and red, like any other that did not run.
    for missing in joined
        .selected
        .iter()
        .filter(|test| !ends.contains_key(test.as_str()))
    {
        joined.outcomes.push(TestOutcome::new(missing, &[]));
    }
    let open = joined
        .outcomes
        .iter()
        .filter(|it| gravity(it.verdict) == NEVER_ENDED)
        .count();
    if open > 0 {
        joined
            .problems
            .push(format!("tests that never ended: {open}"));
    }
    joined
}

const NEVER_ENDED: u8 = 2;

/// What counts when a test ended in several ways.
fn gravity(verdict: TestVerdict) -> u8 {
    match verdict {
        TestVerdict::Passed => 1,
        TestVerdict::Skipped => 0,
        TestVerdict::NotRun | TestVerdict::Running => NEVER_ENDED,
        TestVerdict::Failed | TestVerdict::TimedOut => 3,
    }
}

/// What is wrong with the shards, if the parts are some.
fn shards(parts: &[Part]) -> Vec<String> {
    let cut: Vec<_> = parts
        .iter()
        .filter_map(|part| Some((part, part.run.selection.shard?)))
        .collect();
    let Some((first, shard)) = cut.first() else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for part in parts
        .iter()
        .filter(|part| part.run.selection.shard.is_none())
    {
        problems.push(format!("{} is no shard, and others are", part.name()));
    }
    let whole = |part: &Part| part.run.shard_of.iter().cloned().collect::<BTreeSet<_>>();
    for (part, own) in &cut[1..] {
        if own.of != shard.of || whole(part) != whole(first) {
            let (part, first) = (part.name(), first.name());
            problems.push(format!("{part} is part of another whole than {first}"));
        }
    }
    for index in 1..=shard.of {
        if !cut.iter().any(|(_, own)| own.index == index) {
            problems.push(format!("shard {index}/{} is missing", shard.of));
        }
    }
    if problems.is_empty() {
        let ran: BTreeSet<&String> = cut.iter().flat_map(|(part, _)| &part.run.order).collect();
        let nowhere = whole(first)
            .iter()
            .filter(|test| !ran.contains(test))
            .count();
        if nowhere > 0 {
            problems.push(format!(
                "tests that are in no shard: {nowhere}; cut each with the same --times"
            ));
        }
    }
    problems
}

fn commits(parts: &[Part]) -> Option<String> {
    let known = |part: &Part| part.run.git.as_ref().map(|git| git.revision.clone());
    let commits: BTreeSet<_> = parts.iter().filter_map(known).collect();
    let commits: Vec<_> = commits.into_iter().collect();
    (commits.len() > 1).then(|| format!("the parts ran different commits: {}", commits.join(", ")))
}

#[cfg(test)]
mod tests;
