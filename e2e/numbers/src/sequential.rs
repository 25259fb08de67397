//! When to stop counting: Wald's sequential probability ratio test. It may be asked after every run,
//! and its errors stay what they are said to be, which no bound for a fixed number of runs can
//! promise.

/// Tells a failure rate of at most `good` from one of at least `bad`; between them either answer is
/// right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sprt {
    good: f64,
    bad: f64,
    /// Logarithms of the likelihood ratio at which each answer is given.
    accept: f64,
    reject: f64,
}

/// What the runs so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Not enough evidence either way.
    GoOn,
    /// The rate is below `bad`.
    Good,
    /// The rate is above `good`.
    Bad,
}

impl Sprt {
    /// A test that says [`Decision::Bad`] of a good rate, or [`Decision::Good`] of a bad one, with a
    /// chance of at most `error` each, however long it goes on.
    ///
    /// The thresholds are `1/error` and `error`, not Wald's usual ones, whose errors are only
    /// approximate: the likelihood ratio is a martingale, so Ville's inequality makes these exact
    /// upper limits.
    ///
    /// # Panics
    ///
    /// Unless `0 <= good < bad < 1` and `0 < error < 1`.
    pub fn new(good: f64, bad: f64, error: f64) -> Self {
        assert!(
            0.0 <= good && good < bad && bad < 1.0,
            "good {good}, bad {bad}"
        );
        assert!(0.0 < error && error < 1.0, "an error of {error}");
        Self {
            good,
            bad,
            accept: error.ln(),
            reject: -error.ln(),
        }
    }

    /// What `failures` in `runs` say.
    pub fn decide(&self, failures: u64, runs: u64) -> Decision {
        let passes = runs.saturating_sub(failures) as f64;
        // A failure of what never fails settles it; 0 times infinity would not be a number.
        let by_failures = match failures {
            0 => 0.0,
            failures => failures as f64 * (self.bad / self.good).ln(),
        };
        let ratio = by_failures + passes * ((-self.bad).ln_1p() - (-self.good).ln_1p());
        if ratio >= self.reject {
            Decision::Bad
        } else if ratio <= self.accept {
            Decision::Good
        } else {
            Decision::GoOn
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clean_runs_for;

    /// The exact chance of each decision within `horizon` runs at the true `rate`: every path of the
    /// walk, by the number of failures.
    fn chances(test: &Sprt, rate: f64, horizon: u64) -> (f64, f64) {
        let (mut good, mut bad) = (0.0, 0.0);
        let mut open = vec![1.0];
        for runs in 1..=horizon {
            let mut next = vec![0.0; open.len() + 1];
            for (failures, chance) in open.iter().enumerate() {
                next[failures] += chance * (1.0 - rate);
                next[failures + 1] += chance * rate;
            }
            for (failures, chance) in next.iter_mut().enumerate() {
                match test.decide(failures as u64, runs) {
                    Decision::GoOn => continue,
                    Decision::Good => good += *chance,
                    Decision::Bad => bad += *chance,
                }
                *chance = 0.0;
            }
            open = next;
        }
        (good, bad)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn neither_error_is_more_frequent_than_was_said(
            good in 0.0f64..0.2, gap in 0.02f64..0.5, error in 0.01f64..0.2, beyond in 0.0f64..1.0
        ) {
            let bad = good + gap;
            let test = Sprt::new(good, bad, error);
            let (_, false_alarm) = chances(&test, good * beyond, 400);
            prop_assert!(false_alarm <= error + 1e-12, "false alarm {false_alarm}");
            let (miss, _) = chances(&test, bad + (0.999 - bad) * beyond, 400);
            prop_assert!(miss <= error + 1e-12, "miss {miss}");
        }
    }

    #[test]
    fn it_comes_to_an_end() {
        let (good, bad) = chances(&Sprt::new(0.002, 0.02, 0.05), 0.002, 2000);
        assert!(good > 0.9 && good + bad > 0.999, "{good} {bad}");
    }

    #[test]
    fn what_must_never_fail_takes_as_many_clean_runs_as_its_exact_bound() {
        let never = Sprt::new(0.0, 0.02, 0.05);
        let enough = clean_runs_for(0.02, 0.95);
        assert_eq!(never.decide(0, enough - 1), Decision::GoOn);
        assert_eq!(never.decide(0, enough), Decision::Good);
        assert_eq!(never.decide(1, 2), Decision::Bad);
    }

    #[test]
    fn a_single_failure_asks_for_more_runs_and_a_second_one_soon_settles_it() {
        let test = Sprt::new(0.002, 0.02, 0.05);
        let first_good =
            |failures| (failures..).find(|n| test.decide(failures, *n) == Decision::Good);
        assert_eq!(first_good(0), Some(165));
        assert_eq!(first_good(1), Some(293));
        assert_eq!(test.decide(2, 20), Decision::Bad);
    }
}
