//! Whether what was measured became worse.

use serde::Serialize;

use super::{past::Past, row::Row};
use stigmer_e2e::baseline::Baseline;

/// What was measured; less is better.
pub trait Measure {
    /// Its name.
    fn name(&self) -> &str;
    /// What is compared from run to run.
    fn value(&self) -> f64;
    /// Where the value plausibly is.
    fn interval(&self) -> [f64; 2];
    /// What the value counts.
    fn unit(&self) -> &'static str;
}

/// A measure and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged<M = Row> {
    /// Its numbers.
    #[serde(flatten)]
    pub row: M,
    /// What the baseline says of it.
    pub baseline: Option<f64>,
    /// The median of its last runs here, when there are enough of them.
    pub last_runs: Option<f64>,
    /// How much slower than each of these counts, as a part of it.
    pub tolerance: f64,
    /// The verdict.
    pub verdict: Verdict,
}

/// How a benchmark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// There is nothing to compare with.
    New,
    /// Not told apart from before.
    Steady,
    /// Faster than all it is compared with.
    Improved,
    /// Slower than the baseline.
    SlowerThanBaseline,
    /// Slower than its last runs on this machine.
    SlowerThanLastRuns,
}

/// Compares. A difference counts when the whole interval lies beyond the tolerance: what may be
/// chance is none.
pub fn judge<M: Measure>(
    row: M,
    baseline: Option<f64>,
    last_runs: Option<f64>,
    tolerance: f64,
) -> Judged<M> {
    let [low, high] = row.interval();
    let slower = |before: Option<f64>| before.is_some_and(|value| low > value * (1.0 + tolerance));
    let known: Vec<f64> = baseline.into_iter().chain(last_runs).collect();
    let faster = known.iter().all(|value| high * (1.0 + tolerance) < *value);
    let verdict = match () {
        () if known.is_empty() => Verdict::New,
        () if slower(baseline) => Verdict::SlowerThanBaseline,
        () if slower(last_runs) => Verdict::SlowerThanLastRuns,
        () if faster => Verdict::Improved,
        () => Verdict::Steady,
    };
    Judged {
        row,
        baseline,
        last_runs,
        tolerance,
        verdict,
    }
}

/// Compares each of `measures` with what is known of it.
pub fn judge_all<M: Measure>(
    measures: impl IntoIterator<Item = M>,
    (baseline, past): (&Baseline, &Past),
    tolerance: f64,
) -> Vec<Judged<M>> {
    let judged = measures.into_iter().map(|row| {
        let (base, last) = (baseline.value(row.name()), past.median(row.name()));
        judge(row, base, last, tolerance)
    });
    judged.collect()
}

impl<M: Measure> Judged<M> {
    /// Whether it became slower.
    pub fn is_regression(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::SlowerThanBaseline | Verdict::SlowerThanLastRuns
        )
    }

    /// The verdict in a word or two, and what it was compared with.
    pub fn short(&self) -> String {
        let before = self.baseline.or(self.last_runs);
        let before = before.map_or_else(String::new, |value| format!(" (before: {value:.2})"));
        let word = match self.verdict {
            Verdict::New => "new",
            Verdict::Steady => "steady",
            Verdict::Improved => "better",
            Verdict::SlowerThanBaseline | Verdict::SlowerThanLastRuns => "worse",
        };
        format!("{word}{before}")
    }

    /// The verdict with its numbers.
    pub fn reason(&self) -> String {
        let unit = self.row.unit();
        let ([low, high], percent) = (self.row.interval(), self.tolerance * 100.0);
        let now = format!("{:.2} {unit} ({low:.2} to {high:.2})", self.row.value());
        let than = |what: &str, value: Option<f64>, how: &str| {
            let value = value.unwrap_or_default();
            format!("{now}, {how} {what} ({value:.2})")
        };
        let slower = format!("more than {percent:.0} % above");
        match self.verdict {
            Verdict::New => format!("{now}, nothing to compare with"),
            Verdict::Steady => format!("{now}, as before"),
            Verdict::Improved => format!("{now}, more than {percent:.0} % better"),
            Verdict::SlowerThanBaseline => than("the baseline", self.baseline, &slower),
            Verdict::SlowerThanLastRuns => {
                than("the median of its last runs", self.last_runs, &slower)
            }
        }
    }
}
