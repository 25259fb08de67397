//! Measured values: their middle and their spread, by order and not by sum, because one bad second of
//! the machine must not move them.

/// At least one finite value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// The finite ones of `values`, in any order; nothing when there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        (!sorted.is_empty()).then_some(Self(sorted))
    }

    /// The values in ascending order.
    pub fn sorted(&self) -> &[f64] {
        &self.0
    }

    /// How many they are; never zero.
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The least.
    pub fn min(&self) -> f64 {
        self.0[0]
    }

    /// The greatest.
    pub fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The value in the middle; between the two in the middle of an even number.
    pub fn median(&self) -> f64 {
        self.percentile(50.0)
    }

    /// The value below which `percent` of the values lie, interpolated between neighbours (type 7 of
    /// Hyndman and Fan, what spreadsheets and NumPy do). `percent` is cut to `0..=100`.
    pub fn percentile(&self, percent: f64) -> f64 {
        let place = percent.clamp(0.0, 100.0) / 100.0 * (self.0.len() - 1) as f64;
        let below = place.floor() as usize;
        let above = place.ceil() as usize;
        self.0[below] + (self.0[above] - self.0[below]) * (place - below as f64)
    }

    /// The median absolute deviation from the median, as it is, not scaled to a normal distribution.
    pub fn mad(&self) -> f64 {
        let median = self.median();
        let deviations = self.0.iter().map(|value| (value - median).abs());
        Self::of(deviations).map_or(0.0, |deviations| deviations.median())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::of(values.iter().copied()).expect("there are values")
    }

    #[test]
    fn the_middle_and_the_spread_ignore_one_wild_value() {
        let values = sample(&[3.0, 1.0, 2.0, 4.0, 1000.0]);
        assert_eq!((values.median(), values.mad()), (3.0, 1.0));
        assert_eq!(sample(&[1.0, 2.0]).median(), 1.5);
        assert_eq!((values.min(), values.max(), values.len()), (1.0, 1000.0, 5));
    }

    #[test]
    fn percentiles_are_interpolated() {
        let values = sample(&[10.0, 20.0, 30.0, 40.0]);
        assert_eq!(values.percentile(25.0), 17.5);
        assert_eq!(
            (values.percentile(-1.0), values.percentile(101.0)),
            (10.0, 40.0)
        );
    }

    #[test]
    fn nothing_is_no_sample_and_no_number_no_value() {
        assert_eq!(Sample::of([]), None);
        assert_eq!(Sample::of([f64::NAN, f64::INFINITY]), None);
        assert_eq!(sample(&[f64::NAN, 1.0]).mean(), 1.0);
    }

    proptest! {
        #[test]
        fn percentiles_rise_and_stay_within(values in prop::collection::vec(-1e9f64..1e9, 1..50), a in 0.0f64..100.0, b in 0.0f64..100.0) {
            let values = sample(&values);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(values.percentile(low) <= values.percentile(high));
            prop_assert!(values.min() <= values.percentile(low) && values.percentile(high) <= values.max());
        }
    }
}
