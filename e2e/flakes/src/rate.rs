//! A failure rate, and what it is worth.

use serde::{Deserialize, Serialize};
use stigmer_e2e_numbers::{CONFIDENCE, upper_bound};

/// How often something failed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How often it was done.
    pub runs: u64,
    /// How often it failed.
    pub failures: u64,
    /// Failures per run, 0 without runs.
    pub rate: f64,
    /// The highest true rate that is plausible: the exact upper bound at 95 % confidence.
    pub upper: f64,
}

impl Rate {
    /// `failures` in `runs`.
    pub fn new(failures: u64, runs: u64) -> Self {
        Self {
            runs,
            failures,
            rate: failures as f64 / runs.max(1) as f64,
            upper: upper_bound(failures, runs, CONFIDENCE),
        }
    }

    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self::new(self.failures + other.failures, self.runs + other.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_record_is_worth_its_bound() {
        assert!(Rate::new(0, 30).upper <= 0.10);
        assert!(Rate::new(0, 150).upper <= 0.02);
        assert!(Rate::new(0, 148).upper > 0.02);
        assert_eq!((Rate::new(0, 0).rate, Rate::new(0, 0).upper), (0.0, 1.0));
    }

    #[test]
    fn two_records_are_one_of_both() {
        let both = Rate::new(1, 10).with(Rate::new(0, 20));
        assert_eq!(both, Rate::new(1, 30));
    }
}
