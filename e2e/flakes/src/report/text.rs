//! The report for people.

use stigmer_e2e_plan::columns;

use super::Report;
use crate::{Rate, Share, Stop, StressUsed};

impl Report {
    /// The table of the tests, in columns.
    pub fn table(&self) -> String {
        let head = [
            "test", "runs", "failures", "rate", "at most", "median", "spread", "longest",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for test in &self.tests {
            let name = test.test.rsplit("::").next().unwrap_or(&test.test);
            let mut row = vec![name.to_owned()];
            row.extend(numbers(&test.rate));
            row.extend([test.median_ms, test.mad_ms, test.max_ms].map(|ms| format!("{ms} ms")));
            rows.push(row);
        }
        columns(&rows)
    }

    /// The lines below the table: a name and its value.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let rate = |rate: &Rate, what: &str| {
            format!(
                "{} of {} {what} failed: {}, at most {} (95 % confidence)",
                rate.failures,
                rate.runs,
                Share(rate.rate),
                Share(rate.upper)
            )
        };
        let stop = match self.stop {
            Stop::NotYet => "before its rule was met".to_owned(),
            Stop::Counted => format!("after {}", self.rule),
            Stop::Below => "enough evidence: below the bound".to_owned(),
            Stop::Above => "enough evidence: above a tenth of the bound".to_owned(),
            Stop::Undecided => "undecided".to_owned(),
        };
        let mut lines = vec![
            (
                "executed",
                format!("{} times, by the tests' own count", self.proofs),
            ),
            ("tests", rate(&self.overall, "executions")),
            ("rounds", rate(&self.rounds_red, "rounds")),
            ("stopped", stop),
        ];
        let used = |used: &StressUsed| {
            format!(
                "{}: {:.0} s of processor time, {} MB held, {} MB written",
                used.kind, used.cpu_seconds, used.resident_mb, used.written_mb
            )
        };
        lines.extend(self.stress.iter().map(|it| ("stress", used(it))));
        lines.extend(self.cause.clone().map(|cause| ("cause", cause)));
        lines.extend(
            self.rounds
                .iter()
                .filter(|round| round.exit_code != 0)
                .take(SHOWN)
                .map(|round| ("again", format!("cargo xtask repro {}", round.folder))),
        );
        lines
    }
}

/// How many red rounds are worth a line each.
const SHOWN: usize = 3;

/// The cells of a rate: runs, failures, rate, bound.
pub(crate) fn numbers(rate: &Rate) -> [String; 4] {
    [
        rate.runs.to_string(),
        rate.failures.to_string(),
        Share(rate.rate).to_string(),
        Share(rate.upper).to_string(),
    ]
}
