//! Exact (Clopper-Pearson) bounds of a failure rate, one-sided: no approximation that is wrong where
//! it matters most, at few or no failures.

/// The highest failure rate, in `[0, 1]`, that `failures` in `runs` leave plausible: were the true rate
/// higher, so few failures would be seen with a chance below `1 - confidence`. Without runs it is 1.
///
/// ```
/// # use stigmer_e2e_numbers::upper_bound;
/// assert!(upper_bound(0, 30, 0.95) <= 0.10);
/// assert!(upper_bound(0, 150, 0.95) <= 0.02);
/// ```
///
/// # Panics
///
/// When there are more failures than runs, or `confidence` is not between 0 and 1.
pub fn upper_bound(failures: u64, runs: u64, confidence: f64) -> f64 {
    check(failures, runs, confidence);
    if failures == runs {
        return 1.0;
    }
    if failures == 0 {
        return zero_failures(runs, confidence);
    }
    // The chance of so few failures falls as the rate rises.
    root(|rate| at_most(failures, runs, rate) > 1.0 - confidence)
}

/// The lowest failure rate that `failures` in `runs` leave plausible; the mirror of [`upper_bound`].
///
/// # Panics
///
/// As [`upper_bound`].
pub fn lower_bound(failures: u64, runs: u64, confidence: f64) -> f64 {
    check(failures, runs, confidence);
    1.0 - upper_bound(runs - failures, runs, confidence)
}

/// How many runs without a failure push [`upper_bound`] down to `bound`.
///
/// # Panics
///
/// When `bound` or `confidence` is not between 0 and 1.
pub fn clean_runs_for(bound: f64, confidence: f64) -> u64 {
    assert!(0.0 < bound && bound < 1.0, "a bound of {bound}");
    check(0, 0, confidence);
    let estimate = ((1.0 - confidence).ln() / (-bound).ln_1p()).ceil() as u64;
    // Rounding may have put the estimate on the wrong side of a whole number.
    (estimate.saturating_sub(1)..)
        .find(|runs| zero_failures(*runs, confidence) <= bound)
        .expect("the bound falls towards 0")
}

fn check(failures: u64, runs: u64, confidence: f64) {
    assert!(failures <= runs, "{failures} failures in {runs} runs");
    assert!(
        0.0 < confidence && confidence < 1.0,
        "a confidence of {confidence}"
    );
}

/// `(1 - rate)^runs = 1 - confidence`, solved for the rate.
fn zero_failures(runs: u64, confidence: f64) -> f64 {
    match runs {
        0 => 1.0,
        _ => -((1.0 - confidence).ln() / runs as f64).exp_m1(),
    }
}

/// The chance of at most `failures` in `runs` at `rate`, for `0 < rate < 1`. In logarithms, because
/// the terms of a long series underflow.
fn at_most(failures: u64, runs: u64, rate: f64) -> f64 {
    let odds = rate.ln() - (-rate).ln_1p();
    let mut term = runs as f64 * (-rate).ln_1p();
    let (mut greatest, mut sum) = (term, 1.0);
    for count in 0..failures {
        term += ((runs - count) as f64 / (count + 1) as f64).ln() + odds;
        if term > greatest {
            sum = sum * (greatest - term).exp() + 1.0;
            greatest = term;
        } else {
            sum += (term - greatest).exp();
        }
    }
    (greatest + sum.ln()).exp().min(1.0)
}

/// Where `is_below` turns from true to false in `(0, 1)`.
fn root(is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Each step halves the interval; after 60 it is narrower than a double can tell.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 5e-5
    }

    #[test]
    fn the_bounds_of_clean_runs_are_those_of_the_acceptance_list() {
        assert!(near(upper_bound(0, 30, 0.95), 0.0950));
        assert!(near(upper_bound(0, 150, 0.95), 0.0198));
        assert!(near(upper_bound(0, 300, 0.95), 0.0099));
        assert_eq!(upper_bound(0, 0, 0.95), 1.0);
    }

    #[test]
    fn the_bounds_with_failures_are_those_of_published_tables() {
        // Quantiles of the beta distribution, to four digits.
        assert!(near(upper_bound(1, 20, 0.95), 0.2161));
        assert!(near(lower_bound(1, 20, 0.95), 0.0026));
        assert!(near(upper_bound(2, 10, 0.95), 0.5069));
        assert!(near(upper_bound(5, 5, 0.95), 1.0));
        assert!(near(lower_bound(5, 5, 0.95), 0.5493));
    }

    #[test]
    fn the_fewest_clean_runs_for_a_bound_are_enough_and_one_fewer_is_not() {
        assert_eq!(clean_runs_for(0.02, 0.95), 149);
        assert_eq!(clean_runs_for(0.10, 0.95), 29);
        for bound in [0.5, 0.1, 0.02, 0.01, 0.001] {
            let runs = clean_runs_for(bound, 0.95);
            assert!(upper_bound(0, runs, 0.95) <= bound);
            assert!(upper_bound(0, runs - 1, 0.95) > bound);
        }
    }

    proptest! {
        #[test]
        fn at_the_bound_so_few_failures_have_exactly_the_allowed_chance(
            runs in 1u64..2000, share in 0.0f64..1.0, confidence in 0.5f64..0.999
        ) {
            let failures = (share * runs as f64) as u64;
            prop_assume!(failures < runs);
            let bound = upper_bound(failures, runs, confidence);
            prop_assert!((at_most(failures, runs, bound) - (1.0 - confidence)).abs() < 1e-6);
            prop_assert!(bound >= failures as f64 / runs as f64);
        }

        #[test]
        fn a_bound_covers_the_truth_at_least_as_often_as_it_says(
            runs in 1u64..150, rate in 0.001f64..0.999
        ) {
            // The chance of each outcome whose bound is above the truth, summed.
            let mut covered = 0.0;
            let mut below = 0.0;
            for failures in 0..=runs {
                let upto = if failures == runs { 1.0 } else { at_most(failures, runs, rate) };
                if upper_bound(failures, runs, 0.95) >= rate {
                    covered += upto - below;
                }
                below = upto;
            }
            prop_assert!(covered >= 0.95 - 1e-9, "{covered}");
        }
    }
}
