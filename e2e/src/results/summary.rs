//! `summary.json` and `summary.txt`: the run in a few numbers.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use stigmer_e2e_plan::{Output, Style, count, repro_command};

use super::{
    ContainersRecord, Event, Measured, RunVerdict, Slower, Tally, TestOutcome, TestVerdict,
    function,
};

/// How many slow tests are worth a line.
const SLOWEST: usize = 3;

/// The run in a few numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Names the run.
    pub run_id: String,
    /// How it ended.
    pub verdict: RunVerdict,
    /// The exit code of the driver.
    pub exit_code: u8,
    /// Why it did not simply pass.
    pub cause: Option<String>,
    /// How many tests stand how.
    #[serde(flatten)]
    pub tally: Tally,
    /// Processes that had to be killed because they did not end when asked.
    pub forced_kills: usize,
    /// Processes that were still there after everything was stopped; nothing when nobody could look.
    pub leftovers: Option<usize>,
    /// Attempts to reach another machine; nothing when nobody watched.
    pub attempts_to_leave: Option<usize>,
    /// Selected tests that the runtime does not run; `run.json` says which and why.
    pub set_aside: usize,
    /// Parts of the stack that tests restarted.
    pub restarts: usize,
    /// Tests that were run again; always none: a retry would hide a failure.
    pub retries: usize,
    /// Requests that no test expected.
    pub unexpected_requests: usize,
    /// The folder whose recorded answers stood in for a model; nothing when one answered.
    pub replayed: Option<Utf8PathBuf>,
    /// What containers were made of, how large that is, and how long it took; nothing without any.
    pub containers: Option<ContainersRecord>,
    /// What the tests measured by the way.
    pub measured: Measured,
    /// The slowest tests.
    pub slowest: Vec<Slow>,
    /// The tests that took more than half as long again as the median of their last runs.
    pub slower: Vec<Slower>,
    /// The command that runs the failed tests again.
    pub rerun: Option<String>,
    /// The results folder.
    pub results: Utf8PathBuf,
}

/// A slow test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// Its name.
    pub name: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

impl Summary {
    /// What `outcomes` say; what the end of the run says is still to be filled in.
    pub fn of(
        run_id: &str,
        seed: u64,
        root: &Utf8Path,
        results: Utf8PathBuf,
        outcomes: &[TestOutcome],
    ) -> Self {
        let sum = |count: fn(&TestOutcome) -> usize| outcomes.iter().map(count).sum();
        Self {
            run_id: run_id.to_owned(),
            verdict: RunVerdict::Running,
            exit_code: 0,
            cause: None,
            tally: Tally::of(outcomes),
            forced_kills: sum(|outcome| outcome.counters.forced_kills),
            leftovers: None,
            set_aside: 0,
            attempts_to_leave: None,
            restarts: sum(|outcome| outcome.counters.restarts),
            retries: 0,
            unexpected_requests: sum(|outcome| outcome.counters.unexpected_requests),
            replayed: None,
            containers: None,
            measured: Measured::default(),
            slowest: slowest(outcomes),
            slower: Vec::new(),
            rerun: rerun(root, &results, outcomes, seed),
            results,
        }
    }

    /// The text for people. Its last line is the tally alone.
    pub fn text(&self) -> String {
        self.lines()
            .into_iter()
            .map(|(name, value)| format!("  {name:<10} {value}\n"))
            .collect::<String>()
            + &last_line(&self.tally)
            + "\n"
    }

    /// Shows it, and the tally as the last line; without its cause if that has been told already.
    pub fn show(&self, output: Output, is_told: bool) {
        let lines = self.lines().into_iter();
        for (name, value) in lines.filter(|(name, _)| !(is_told && *name == "cause")) {
            let value = match (name, self.exit_code) {
                ("verdict", 0) => output.paint(Style::Green, &value),
                ("verdict", _) => output.paint(Style::Red, &value),
                _ => value,
            };
            output.line(&format!("  {name:<10} {value}"));
        }
        output.object(&Event::new("summary", self));
        output.line(&last_line(&self.tally));
    }

    /// The lines above the tally: a name and its value.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("verdict", self.verdict.words().to_owned()),
            ("results", self.results.to_string()),
        ];
        lines.extend(self.replayed.as_ref().map(|folder| {
            let text = format!("no model answered: recorded answers of {folder} stood in");
            ("model", text)
        }));
        lines.extend(self.cause.clone().map(|cause| ("cause", cause)));
        let leftovers = self
            .leftovers
            .map_or_else(|| "not looked for".to_owned(), |count| count.to_string());
        let mut counts = vec![
            format!("leftovers {leftovers}"),
            format!("forced kills {}", self.forced_kills),
        ];
        counts.extend(
            self.attempts_to_leave
                .map(|count| format!("attempts to leave {count}")),
        );
        for (count, name) in [
            (self.unexpected_requests, "unexpected requests"),
            (self.restarts, "restarts"),
            (self.set_aside, "set aside (run.json says why)"),
            (self.tally.timed_out, "timed out"),
            (self.tally.aborted, "aborted"),
            (self.tally.not_run, "not run"),
        ] {
            if count > 0 {
                counts.push(format!("{name} {count}"));
            }
        }
        lines.push(("counts", counts.join(" · ")));
        let containers = self.containers.as_ref().map(ContainersRecord::summary);
        lines.extend(containers.map(|line| ("containers", line)));
        lines.extend(self.measured.line().map(|line| ("measured", line)));
        if !self.slowest.is_empty() {
            let slow = |slow: &Slow| format!("{} {:.1} s", slow.name, slow.ms as f64 / 1000.0);
            lines.push((
                "slowest",
                self.slowest
                    .iter()
                    .map(slow)
                    .collect::<Vec<_>>()
                    .join(" · "),
            ));
        }
        if !self.slower.is_empty() {
            let slower = |test: &Slower| {
                let seconds = |ms: u64| ms as f64 / 1000.0;
                let (now, then) = (seconds(test.ms), seconds(test.median_ms));
                format!("{} {now:.2} s instead of {then:.2} s", function(&test.name))
            };
            let shown: Vec<_> = self.slower.iter().take(SLOWEST).map(slower).collect();
            let line = format!(
                "{} more than 50 % slower than before: {}",
                count(self.slower.len(), "test"),
                shown.join(" · ")
            );
            lines.push(("slower", line));
        }
        lines.extend(self.rerun.clone().map(|rerun| ("again", rerun)));
        lines
    }
}

/// `N passed, N failed, N skipped`.
pub fn last_line(tally: &Tally) -> String {
    format!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    )
}

fn slowest(outcomes: &[TestOutcome]) -> Vec<Slow> {
    let timed = outcomes.iter().filter_map(|outcome| {
        Some(Slow {
            name: outcome.function().to_owned(),
            ms: outcome.ms?,
        })
    });
    let mut slow: Vec<_> = timed.collect();
    slow.sort_by(|a, b| b.ms.cmp(&a.ms).then_with(|| a.name.cmp(&b.name)));
    slow.truncate(SLOWEST);
    slow
}

fn rerun(
    root: &Utf8Path,
    results: &Utf8Path,
    outcomes: &[TestOutcome],
    seed: u64,
) -> Option<String> {
    let is_open =
        |outcome: &&TestOutcome| outcome.is_red() || outcome.verdict == TestVerdict::Running;
    let mut open = outcomes.iter().filter(is_open);
    let first = open.next()?;
    let only = open.next().is_none().then(|| first.function());
    Some(repro_command(root, results, only, seed))
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

    fn summary(outcomes: &[TestOutcome]) -> Summary {
        Summary::of("r1", 42, "/c".into(), "/c/results/r1".into(), outcomes)
    }

    #[test]
    fn the_last_line_is_the_tally_alone() {
        let outcomes = [
            outcome("a", TestVerdict::Passed, 1),
            outcome("b", TestVerdict::TimedOut, 2),
            outcome("c", TestVerdict::Skipped, 3),
        ];
        let text = summary(&outcomes).text();
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed, 1 skipped"));
        assert!(
            text.ends_with('\n') && text.contains("timed out 1"),
            "{text}"
        );
    }

    #[test]
    fn red_tests_are_run_again_by_one_command_with_the_seed() {
        let outcomes = [
            outcome("m::a", TestVerdict::Failed, 1),
            outcome("b", TestVerdict::Passed, 1),
            outcome("c", TestVerdict::TimedOut, 1),
        ];
        assert_eq!(
            summary(&outcomes).rerun.as_deref(),
            Some("cargo xtask repro results/r1 --seed 42")
        );
        assert_eq!(
            summary(&outcomes[..2]).rerun.as_deref(),
            Some("cargo xtask repro results/r1 a --seed 42")
        );
        assert_eq!(summary(&outcomes[1..2]).rerun, None);
    }

    #[test]
    fn the_slowest_come_first() {
        let outcomes: Vec<_> = (0..5)
            .map(|n| outcome(&format!("t{n}"), TestVerdict::Passed, n * 100))
            .collect();
        let names: Vec<_> = summary(&outcomes)
            .slowest
            .into_iter()
            .map(|slow| slow.name)
            .collect();
        assert_eq!(names, ["t4", "t3", "t2"]);
    }
}
