//! What the rounds say, test by test and together.

mod text;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use stigmer_e2e_numbers::{CONFIDENCE, Sample, clean_runs_for};
use stigmer_e2e_plan::ExitCode;

use crate::{Circumstances, Rate, Round, Share, Stop, StopRule, Stress};

pub(crate) use text::numbers;

/// `flaky.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Names the whole of the rounds.
    pub run_id: String,
    /// When the first round began, RFC 3339.
    pub started_at: String,
    /// The seed that the seeds of the rounds are drawn from.
    pub seed: u64,
    /// What the numbers hold for.
    pub circumstances: Circumstances,
    /// When to stop.
    pub rule: StopRule,
    /// The share of red rounds that must be excluded.
    pub gate: Option<f64>,
    /// Why it did stop; `not-yet` when something else ended it.
    pub stop: Stop,
    /// How many rounds were red.
    pub rounds_red: Rate,
    /// How many executions failed, all tests together.
    pub overall: Rate,
    /// Executions that were proven by the tests themselves.
    pub proofs: u64,
    /// Tests with a result that they did not prove.
    pub unproven: Vec<String>,
    /// Each test, the worst first.
    pub tests: Vec<TestRate>,
    /// Each round, in order.
    pub rounds: Vec<RoundLine>,
    /// What the load beside the tests did.
    pub stress: Vec<StressUsed>,
    /// What the verb ended with.
    pub exit_code: u8,
    /// Why it did not simply pass.
    pub cause: Option<String>,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRate {
    /// Its path in the suite.
    pub test: String,
    /// What the runs say of it.
    pub kind: Kind,
    /// How often it failed.
    #[serde(flatten)]
    pub rate: Rate,
    /// How often it was skipped; these are no runs.
    pub skipped: u64,
    /// Median of its times, in milliseconds.
    pub median_ms: u64,
    /// Median absolute deviation of its times, in milliseconds.
    pub mad_ms: u64,
    /// The longest of its times, in milliseconds.
    pub max_ms: u64,
    /// Numbers of the rounds in which it failed.
    pub failed_in: Vec<u64>,
}

/// What the runs say of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It failed each time.
    Broken,
    /// It failed, but not each time.
    Flaky,
    /// It never failed.
    Clean,
    /// It never ran.
    Skipped,
}

/// One round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoundLine {
    /// Its place, from 1.
    pub number: u64,
    /// Its seed.
    pub seed: u64,
    /// What it ended with.
    pub exit_code: u8,
    /// Why it did not simply pass.
    pub cause: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Its results folder.
    pub folder: Utf8PathBuf,
}

/// What a load did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StressUsed {
    /// Its kind.
    pub kind: Stress,
    /// Seconds of processor time that it took.
    pub cpu_seconds: f64,
    /// Megabytes that it wrote.
    pub written_mb: u64,
    /// Megabytes of memory that it held at the end.
    pub resident_mb: u64,
}

impl Report {
    /// What `rounds` say; why they ended is still to be filled in.
    pub fn of(
        run_id: &str,
        started_at: &str,
        seed: u64,
        circumstances: Circumstances,
        (rule, gate): (StopRule, Option<f64>),
        rounds: &[Round],
    ) -> Self {
        let red = rounds.iter().filter(|round| round.is_red()).count() as u64;
        let rounds_red = Rate::new(red, rounds.len() as u64);
        let tests = tests(rounds);
        let all = tests.iter().map(|test| test.rate);
        let mut unproven: Vec<String> = rounds
            .iter()
            .flat_map(Round::unproven)
            .map(str::to_owned)
            .collect();
        unproven.sort();
        unproven.dedup();
        Self {
            run_id: run_id.to_owned(),
            started_at: started_at.to_owned(),
            seed,
            circumstances,
            rule,
            gate,
            stop: rule.look(red, rounds.len() as u64),
            rounds_red,
            overall: all.fold(Rate::new(0, 0), Rate::with),
            proofs: rounds.iter().flat_map(|round| round.proofs.values()).sum(),
            unproven,
            tests,
            rounds: rounds.iter().map(line).collect(),
            stress: Vec::new(),
            exit_code: 0,
            cause: None,
        }
        .judged()
    }

    /// 0 only if every round passed, each result was proven, and there were enough.
    fn judged(mut self) -> Self {
        let red = self.rounds_red;
        let (code, cause) = if !self.unproven.is_empty() {
            let cause = format!(
                "results without a proof that the test ran: {}",
                self.unproven.join(", ")
            );
            (ExitCode::TestsFailed, Some(cause))
        } else if red.failures > 0 {
            let cause = format!("{} of {} rounds were red", red.failures, red.runs);
            (ExitCode::TestsFailed, Some(cause))
        } else if self.stop == Stop::Undecided {
            let cause = format!("{} rounds are not enough to decide", red.runs);
            (ExitCode::TestsFailed, Some(cause))
        } else if let Some(gate) = self.gate.filter(|gate| red.upper > *gate) {
            let cause = format!(
                "{} clean rounds leave a share of up to {}; the gate of {} needs {}",
                red.runs,
                Share(red.upper),
                Share(gate),
                clean_runs_for(gate, CONFIDENCE)
            );
            (ExitCode::TestsFailed, Some(cause))
        } else if self.overall.runs == 0 {
            let cause = "no test was executed".to_owned();
            (ExitCode::NothingRan, Some(cause))
        } else {
            (ExitCode::Success, None)
        };
        (self.exit_code, self.cause) = (code as u8, cause);
        self
    }

    /// The same, ended by something else than its rule.
    pub fn ended_by(mut self, code: ExitCode, cause: String) -> Self {
        (self.exit_code, self.cause) = (code as u8, Some(cause));
        self
    }
}

fn line(round: &Round) -> RoundLine {
    RoundLine {
        number: round.number,
        seed: round.seed,
        exit_code: round.exit_code,
        cause: round.cause.clone(),
        ms: round.ms,
        folder: round.folder.clone(),
    }
}

fn tests(rounds: &[Round]) -> Vec<TestRate> {
    let mut by_test: BTreeMap<&str, Vec<(u64, &crate::Execution)>> = BTreeMap::new();
    for round in rounds {
        for execution in &round.executions {
            by_test
                .entry(&execution.name)
                .or_default()
                .push((round.number, execution));
        }
    }
    let mut tests: Vec<_> = by_test
        .into_iter()
        .map(|(test, executions)| one(test, &executions))
        .collect();
    tests.sort_by(|a, b| {
        let worst = b.rate.rate.total_cmp(&a.rate.rate);
        worst.then_with(|| b.median_ms.cmp(&a.median_ms))
    });
    tests
}

fn one(test: &str, executions: &[(u64, &crate::Execution)]) -> TestRate {
    let ran: Vec<_> = executions
        .iter()
        .filter(|(_, execution)| execution.verdict != "skipped")
        .collect();
    let failed_in: Vec<u64> = ran
        .iter()
        .filter(|(_, execution)| execution.is_red())
        .map(|(round, _)| *round)
        .collect();
    let rate = Rate::new(failed_in.len() as u64, ran.len() as u64);
    let times = Sample::of(ran.iter().filter_map(|(_, it)| Some(it.ms? as f64)));
    let ms = |of: fn(&Sample) -> f64| times.as_ref().map_or(0, |times| of(times).round() as u64);
    TestRate {
        test: test.to_owned(),
        kind: match (rate.failures, rate.runs) {
            (_, 0) => Kind::Skipped,
            (0, _) => Kind::Clean,
            (failures, runs) if failures == runs => Kind::Broken,
            _ => Kind::Flaky,
        },
        rate,
        skipped: (executions.len() - ran.len()) as u64,
        median_ms: ms(Sample::median),
        mad_ms: ms(Sample::mad),
        max_ms: ms(Sample::max),
        failed_in,
    }
}

#[cfg(test)]
mod tests;
