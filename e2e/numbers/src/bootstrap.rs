//! Intervals around any statistic, from the values alone: draw from them with replacement, again and
//! again, and look at how the statistic moves.

use crate::{Sample, SplitMix64};

/// Where a statistic plausibly is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The percentile bootstrap with a seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How often to draw; 2,000 gives the ends to about a per cent of the interval.
    pub resamples: usize,
    /// How often the interval holds the truth, such as [`crate::CONFIDENCE`]. Two-sided.
    pub confidence: f64,
    /// The same seed gives the same interval.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: 2000,
            confidence: crate::CONFIDENCE,
            seed: 1,
        }
    }
}

impl Bootstrap {
    /// The interval of `statistic` of `sample`.
    pub fn interval(&self, sample: &Sample, statistic: impl Fn(&Sample) -> f64) -> Interval {
        let mut rng = SplitMix64::new(self.seed);
        self.ends(|| statistic(&draw(sample, &mut rng)))
    }

    /// The interval of a statistic of two samples that were measured apart, such as the ratio of their
    /// medians: each is drawn from on its own.
    pub fn interval_of_two(
        &self,
        left: &Sample,
        right: &Sample,
        statistic: impl Fn(&Sample, &Sample) -> f64,
    ) -> Interval {
        let mut rng = SplitMix64::new(self.seed);
        self.ends(|| {
            let left = draw(left, &mut rng);
            statistic(&left, &draw(right, &mut rng))
        })
    }

    fn ends(&self, one: impl FnMut() -> f64) -> Interval {
        let drawn = Sample::of(std::iter::repeat_with(one).take(self.resamples.max(1)));
        let tail = (1.0 - self.confidence) / 2.0 * 100.0;
        drawn.map_or(
            Interval {
                low: f64::NAN,
                high: f64::NAN,
            },
            |drawn| Interval {
                low: drawn.percentile(tail),
                high: drawn.percentile(100.0 - tail),
            },
        )
    }
}

fn draw(sample: &Sample, rng: &mut SplitMix64) -> Sample {
    let values = sample.sorted();
    let drawn = (0..values.len()).map(|_| values[rng.below(values.len())]);
    Sample::of(drawn).expect("values of a sample are finite")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(count: usize, seed: u64) -> Sample {
        let mut rng = SplitMix64::new(seed);
        Sample::of((0..count).map(|_| rng.unit())).expect("there are values")
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_it_holds_the_statistic() {
        let sample = uniform(50, 3);
        let bootstrap = Bootstrap::default();
        let interval = bootstrap.interval(&sample, Sample::median);
        assert_eq!(interval, bootstrap.interval(&sample, Sample::median));
        assert!(interval.low <= sample.median() && sample.median() <= interval.high);
        assert!(interval.low > 0.2 && interval.high < 0.8, "{interval:?}");
    }

    #[test]
    fn about_as_many_intervals_hold_the_truth_as_is_said() {
        let bootstrap = Bootstrap {
            resamples: 400,
            ..Bootstrap::default()
        };
        let holds = |seed: &u64| {
            let interval = bootstrap.interval(&uniform(40, *seed), Sample::median);
            interval.low <= 0.5 && 0.5 <= interval.high
        };
        let holding = (0..200).filter(holds).count();
        assert!((178..=200).contains(&holding), "{holding} of 200");
    }

    #[test]
    fn the_interval_of_a_ratio_tells_twice_as_slow_from_the_same() {
        let (left, right) = (uniform(60, 1), uniform(60, 2));
        let shifted = Sample::of(left.sorted().iter().map(|value| 2.0 * (value + 1.0)));
        let plain = Sample::of(right.sorted().iter().map(|value| value + 1.0));
        let (shifted, plain) = (shifted.expect("values"), plain.expect("values"));
        let ratio = |a: &Sample, b: &Sample| a.median() / b.median();
        let interval = Bootstrap::default().interval_of_two(&shifted, &plain, ratio);
        assert!(interval.low > 1.5 && interval.high < 2.5, "{interval:?}");
    }
}
