//! Whether something grows.

/// The slope of a line through `points` (x, y), by Theil and Sen: the median of the slopes between any two
/// of them, which a few points that stand out do not move. Nothing without two different x.
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let pairs = points
        .iter()
        .enumerate()
        .flat_map(|(at, first)| points[at + 1..].iter().map(move |second| (first, second)));
    let slopes = pairs
        .filter(|(first, second)| first.0 != second.0)
        .map(|(first, second)| (second.1 - first.1) / (second.0 - first.0));
    Some(crate::Sample::of(slopes)?.median())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_also_with_a_point_that_stands_out() {
        let line = |x: f64| (x, 3.0 + 0.5 * x);
        let mut points: Vec<_> = (0..9).map(|x| line(f64::from(x))).collect();
        assert_eq!(slope(&points), Some(0.5));
        points[4].1 += 1000.0;
        assert!((slope(&points).unwrap() - 0.5).abs() < 0.2);
    }

    #[test]
    fn a_step_is_no_lasting_growth_and_one_point_says_nothing() {
        let step: Vec<_> = (0..9)
            .map(|x| (f64::from(x), if x < 2 { 0.0 } else { 8.0 }))
            .collect();
        assert_eq!(slope(&step), Some(0.0));
        assert_eq!(slope(&step[..1]), None);
        assert_eq!(slope(&[(1.0, 2.0), (1.0, 3.0)]), None);
    }
}
