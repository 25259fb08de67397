//! `flaky.jsonl`, beside the results folders: what every `flaky` found, and under which circumstances.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{RunLog, columns};

use crate::{Circumstances, Rate, Report, report::numbers};

/// The file's name.
const FILE: &str = "flaky.jsonl";
/// How much of a revision is shown.
const SHORT: usize = 10;

/// One `flaky`: a line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Names it.
    pub run_id: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// What it holds for.
    #[serde(flatten)]
    pub circumstances: Circumstances,
    /// How many rounds.
    pub rounds: u64,
    /// How many of them were red.
    pub red: u64,
    /// Each test by its path in the suite.
    pub tests: BTreeMap<String, TestCount>,
}

/// How often a test ran and failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCount {
    /// How often it ran.
    pub runs: u64,
    /// How often it failed.
    pub failures: u64,
    /// Median of its times, in milliseconds.
    pub median_ms: u64,
}

impl Entry {
    /// What is kept of a report.
    pub fn of(report: &Report) -> Self {
        let count = |test: &crate::TestRate| TestCount {
            runs: test.rate.runs,
            failures: test.rate.failures,
            median_ms: test.median_ms,
        };
        Self {
            run_id: report.run_id.clone(),
            started_at: report.started_at.clone(),
            circumstances: report.circumstances.clone(),
            rounds: report.rounds_red.runs,
            red: report.rounds_red.failures,
            tests: report
                .tests
                .iter()
                .map(|test| (test.test.clone(), count(test)))
                .collect(),
        }
    }
}

/// Every `flaky` of a checkout, oldest first.
#[derive(Clone, Debug)]
pub struct Store(RunLog<Entry>);

impl Store {
    /// What is known in `folder`, which holds the results folders.
    pub fn read(folder: &Utf8Path) -> Self {
        Self(RunLog::open(folder.join(FILE)))
    }

    /// Each of them.
    pub fn entries(&self) -> &[Entry] {
        self.0.entries()
    }

    /// Adds `entry`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn append(&mut self, entry: Entry) -> Result<()> {
        self.0.append(entry)
    }

    /// The path of the only known test with this name, or with this part of a path.
    pub fn path_of(&self, name: &str) -> Option<String> {
        let paths: BTreeSet<&String> = self
            .entries()
            .iter()
            .flat_map(|it| it.tests.keys())
            .collect();
        let own = |path: &&&String| path.rsplit("::").next() == Some(name);
        if let Some(path) = paths.iter().find(own) {
            return Some((*path).clone());
        }
        let mut fitting = paths.into_iter().filter(|path| path.contains(name));
        let first = fitting.next()?;
        fitting.next().is_none().then(|| first.clone())
    }

    /// How often the test `path` failed at `revision`, under whatever other circumstances. Runs of
    /// changed files say nothing about their commit.
    pub fn at(&self, path: &str, revision: &str) -> Rate {
        let here = self.entries().iter().filter(|entry| {
            entry.circumstances.revision.as_deref() == Some(revision) && !entry.circumstances.dirty
        });
        let counts = here.filter_map(|entry| entry.tests.get(path));
        counts.fold(Rate::new(0, 0), |sum, count| {
            sum.with(Rate::new(count.failures, count.runs))
        })
    }

    /// What is known of the tests whose path contains one of `filters`, of all without any: a row for
    /// each test, revision, and load, in the order in which they were met. Also returns how many.
    pub fn table(&self, filters: &[String]) -> (String, usize) {
        // `RUN-02` is how a scenario is called, `run_02` how its tests are.
        let parts: Vec<_> = filters
            .iter()
            .map(|filter| filter.to_lowercase().replace('-', "_"))
            .collect();
        let chosen = |path: &str| parts.is_empty() || parts.iter().any(|part| path.contains(part));
        let mut rows: Vec<(Vec<String>, Rate)> = Vec::new();
        for entry in self.entries() {
            for (path, count) in entry.tests.iter().filter(|(path, _)| chosen(path)) {
                let key = key(path, &entry.circumstances);
                let rate = Rate::new(count.failures, count.runs);
                match rows.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, sum)) => *sum = sum.with(rate),
                    None => rows.push((key, rate)),
                }
            }
        }
        rows.sort_by(|(a, _), (b, _)| a[0].cmp(&b[0]));
        let head = [
            "test", "revision", "stress", "runs", "failures", "rate", "at most",
        ];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        let count = rows.len();
        table.extend(rows.into_iter().map(|(mut key, rate)| {
            key.extend(numbers(&rate));
            key
        }));
        (columns(&table), count)
    }
}

fn key(path: &str, circumstances: &Circumstances) -> Vec<String> {
    let revision = circumstances.revision.as_deref().unwrap_or("none");
    let changed = if circumstances.dirty { "+" } else { "" };
    let stress: Vec<_> = circumstances.stress.iter().map(|it| it.as_str()).collect();
    vec![
        path.rsplit("::").next().unwrap_or(path).to_owned(),
        format!("{:.SHORT$}{changed}", revision),
        match stress.as_slice() {
            [] => "none".to_owned(),
            stress => stress.join(","),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(revision: &str, dirty: bool, failures: u64, runs: u64) -> Entry {
        let count = TestCount {
            runs,
            failures,
            median_ms: 5,
        };
        Entry {
            run_id: "r".to_owned(),
            started_at: "now".to_owned(),
            circumstances: Circumstances {
                revision: Some(revision.to_owned()),
                dirty,
                ..Circumstances::default()
            },
            rounds: runs,
            red: failures,
            tests: BTreeMap::from([("m::a".to_owned(), count)]),
        }
    }

    #[test]
    fn what_was_found_adds_up_by_revision() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for entry in [
            entry("aaaaaaaaaaaaaaa", false, 1, 10),
            entry("aaaaaaaaaaaaaaa", false, 0, 20),
            entry("aaaaaaaaaaaaaaa", true, 5, 5),
            entry("bbbbbbbbbbbbbbb", false, 0, 30),
        ] {
            Store::read(folder).append(entry).expect("it is written");
        }
        let store = Store::read(folder);
        assert_eq!(store.entries().len(), 4);
        assert_eq!(store.at("m::a", "aaaaaaaaaaaaaaa"), Rate::new(1, 30));
        assert_eq!(store.at("m::b", "aaaaaaaaaaaaaaa"), Rate::new(0, 0));
        assert_eq!(store.path_of("a").as_deref(), Some("m::a"));
        assert_eq!(store.path_of("b"), None);
        let (table, _) = store.table(&["a".to_owned()]);
        let lines: Vec<_> = table
            .lines()
            .map(|line| {
                line.split_whitespace()
                    .take(5)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(
            lines[1..],
            [
                "a aaaaaaaaaa none 30 1",
                "a aaaaaaaaaa+ none 5 5",
                "a bbbbbbbbbb none 30 0"
            ]
        );
        assert_eq!(store.table(&["nothing".to_owned()]).1, 0);
    }
}
