//! `history.jsonl`, beside the results folders: how long each test took, run by run, and which test
//! became slow.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{ExitCode, RunLog, failure};

use super::{TestOutcome, TestVerdict};

/// The file's name.
const FILE: &str = "history.jsonl";
/// How many of a test's last times it is compared with.
const LAST: usize = 20;
/// A median of fewer times says nothing.
const ENOUGH: usize = 5;
/// How many times the median a test may take.
const SLOWER: f64 = 1.5;

/// One run: a line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    run_id: String,
    started_at: String,
    /// How many tests ran at once: it decides how long each of them takes.
    jobs: usize,
    /// Milliseconds of each test that passed, by its path in the suite.
    tests: BTreeMap<String, u64>,
}

/// The runs before this one, oldest first.
#[derive(Debug)]
pub struct History(RunLog<Entry>);

/// A test that became slow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Slower {
    /// Its path in the suite.
    pub name: String,
    /// What it took, in milliseconds.
    pub ms: u64,
    /// What it took in the middle of its last runs, in milliseconds.
    pub median_ms: u64,
    /// How many runs these are.
    pub runs: usize,
}

impl History {
    /// What is known of the runs whose results folders are beside `results`.
    pub fn beside(results: &Utf8Path) -> Self {
        let folder = results.parent().unwrap_or(Utf8Path::new("."));
        Self(RunLog::open(folder.join(FILE)))
    }

    /// What is known in `file`.
    ///
    /// # Errors
    ///
    /// [`ExitCode::Usage`] when it cannot be read, or knows nothing.
    pub fn read(file: &Utf8Path) -> Result<Self> {
        let refused = |why: String| {
            let fix = "name a history.jsonl, which is beside the results folders";
            failure(ExitCode::Usage, format!("{file} {why}"), fix)
        };
        let log = RunLog::read(file).map_err(|it| refused(format!("cannot be read: {it}")))?;
        match log.entries().is_empty() {
            true => Err(refused("has no recorded time".to_owned())),
            false => Ok(Self(log)),
        }
    }

    /// The usual time of each test, in milliseconds by its path: the median of its last runs.
    pub fn times(&self) -> BTreeMap<String, u64> {
        let mut last: BTreeMap<&String, Vec<u64>> = BTreeMap::new();
        for (test, ms) in self.0.entries().iter().rev().flat_map(|run| &run.tests) {
            let times = last.entry(test).or_default();
            if times.len() < LAST {
                times.push(*ms);
            }
        }
        let median = |mut times: Vec<u64>| {
            times.sort_unstable();
            times[times.len() / 2]
        };
        last.into_iter()
            .map(|(test, times)| (test.clone(), median(times)))
            .collect()
    }

    /// The tests that passed and took more than half as long again as the median of their last runs
    /// with as many tests at once, the greatest loss of time first.
    pub fn slower(&self, jobs: usize, outcomes: &[TestOutcome]) -> Vec<Slower> {
        let mut slower: Vec<_> = passed(outcomes)
            .filter_map(|(name, ms)| self.compare(jobs, name, ms))
            .collect();
        slower.sort_by_key(|it| (std::cmp::Reverse(it.ms - it.median_ms), it.name.clone()));
        slower
    }

    fn compare(&self, jobs: usize, name: &str, ms: u64) -> Option<Slower> {
        let alike = self.0.entries().iter().rev().filter(|run| run.jobs == jobs);
        let mut times: Vec<_> = alike
            .filter_map(|run| run.tests.get(name).copied())
            .take(LAST)
            .collect();
        times.sort_unstable();
        let median_ms = *times.get(times.len() / 2)?;
        let is_slower = times.len() >= ENOUGH && ms as f64 > SLOWER * median_ms as f64;
        is_slower.then(|| Slower {
            name: name.to_owned(),
            ms,
            median_ms,
            runs: times.len(),
        })
    }

    /// Adds a run, unless none of its tests passed.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn append(
        &mut self,
        run_id: &str,
        started_at: &str,
        jobs: usize,
        outcomes: &[TestOutcome],
    ) -> Result<()> {
        let entry = Entry {
            run_id: run_id.to_owned(),
            started_at: started_at.to_owned(),
            jobs,
            tests: passed(outcomes)
                .map(|(name, ms)| (name.to_owned(), ms))
                .collect(),
        };
        if entry.tests.is_empty() {
            return Ok(());
        }
        self.0.append(entry)
    }
}

fn passed(outcomes: &[TestOutcome]) -> impl Iterator<Item = (&str, u64)> {
    let passed = outcomes
        .iter()
        .filter(|outcome| outcome.verdict == TestVerdict::Passed);
    passed.filter_map(|outcome| Some((outcome.name.as_str(), outcome.ms?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, verdict: TestVerdict, ms: u64) -> TestOutcome {
        TestOutcome {
            verdict,
            ms: Some(ms),
            ..TestOutcome::new(name, &[])
        }
    }

    #[test]
    fn a_test_is_slow_above_half_as_much_again_as_the_median_of_its_last_20_runs() {
        let folder = tempfile::tempdir().unwrap();
        let results = Utf8Path::from_path(folder.path()).unwrap().join("run");
        // Older than the last 20, and with another number of tests at once: neither counts.
        let before = (0..30).map(|_| (1, 10)).chain([(4, 1); 5]);
        for (jobs, ms) in before.chain((0..20).map(|n| (1, 90 + n))) {
            let test = outcome("a", TestVerdict::Passed, ms);
            let mut history = History::beside(&results);
            history.append("r", "now", jobs, &[test]).unwrap();
        }
        let history = History::beside(&results);
        let now = |ms| history.slower(1, &[outcome("a", TestVerdict::Passed, ms)]);
        assert_eq!(now(150), []);
        let slower = Slower {
            name: "a".into(),
            ms: 151,
            median_ms: 100,
            runs: 20,
        };
        assert_eq!(now(151), [slower]);
    }

    #[test]
    fn the_usual_time_is_the_median_and_a_file_without_any_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let results = Utf8Path::from_path(folder.path()).unwrap().join("run");
        let file = results.with_file_name(FILE);
        assert!(History::read(&file).is_err());
        for ms in [1, 50, 2] {
            let tests = [outcome("a", TestVerdict::Passed, ms)];
            History::beside(&results)
                .append("r", "now", 4, &tests)
                .unwrap();
        }
        let times = History::read(&file).unwrap().times();
        assert_eq!(times, BTreeMap::from([("a".to_owned(), 2)]));
    }

    #[test]
    fn a_test_without_a_history_or_that_failed_is_not_slow() {
        let folder = tempfile::tempdir().unwrap();
        let results = Utf8Path::from_path(folder.path()).unwrap().join("run");
        let fast = [outcome("a", TestVerdict::Passed, 1)];
        for _ in 0..ENOUGH {
            let mut history = History::beside(&results);
            let slow = outcome("a", TestVerdict::Passed, 1000);
            assert_eq!(history.slower(1, &[slow]), []);
            history.append("r", "now", 1, &fast).unwrap();
        }
        let history = History::beside(&results);
        assert_eq!(
            history.slower(1, &[outcome("a", TestVerdict::Failed, 1000)]),
            []
        );
        assert_eq!(
            history.slower(1, &[outcome("b", TestVerdict::Passed, 1000)]),
            []
        );
        assert_eq!(
            history
                .slower(1, &[outcome("a", TestVerdict::Passed, 1000)])
                .len(),
            1
        );
    }
}
