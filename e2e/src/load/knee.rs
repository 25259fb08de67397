//! Where more at once stops to pay.

use serde::{Deserialize, Serialize};

/// The least part by which a level has to raise the throughput of the one before it.
pub const GAIN: f64 = 0.1;

/// What one level came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// How many were under way at once.
    pub at_once: usize,
    /// How many ended in a second.
    pub per_second: f64,
    /// The 99th percentile of their times, in milliseconds.
    pub p99_ms: f64,
}

/// The level after which more at once is only more waiting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// That level.
    pub at_once: usize,
    /// The next one.
    pub next: usize,
    /// The part by which the next level raised the throughput; negative when it fell.
    pub gain: f64,
    /// How many times the 99th percentile it took.
    pub p99_times: f64,
}

/// The knee of levels in ascending order: the first one whose next level raises the throughput by less
/// than [`GAIN`] and takes a longer 99th percentile. Nothing when every level paid, or there is one only.
pub fn knee(levels: &[Point]) -> Option<Knee> {
    let steps = levels.iter().zip(levels.iter().skip(1));
    let mut knees = steps.map(|(level, next)| Knee {
        at_once: level.at_once,
        next: next.at_once,
        gain: next.per_second / level.per_second - 1.0,
        p99_times: next.p99_ms / level.p99_ms,
    });
    knees.find(|step| step.gain < GAIN && step.p99_times > 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_once: usize, per_second: f64, p99_ms: f64) -> Point {
        Point {
            at_once,
            per_second,
            p99_ms,
        }
    }

    #[test]
    fn the_knee_is_the_last_level_that_was_worth_going_to() {
        let levels = [
            at(1, 10.0, 100.0),
            at(10, 40.0, 250.0),
            at(50, 42.0, 1200.0),
            at(200, 41.0, 5000.0),
        ];
        let knee = knee(&levels).expect("there is one");
        assert_eq!((knee.at_once, knee.next), (10, 50));
        assert!((knee.gain - 0.05).abs() < 1e-9 && (knee.p99_times - 4.8).abs() < 1e-9);
    }

    #[test]
    fn while_every_level_pays_there_is_no_knee() {
        assert_eq!(knee(&[at(10, 40.0, 200.0), at(50, 60.0, 800.0)]), None);
        assert_eq!(knee(&[at(10, 40.0, 200.0)]), None);
        assert_eq!(knee(&[]), None);
    }

    #[test]
    fn a_gain_of_exactly_the_least_pays() {
        assert_eq!(knee(&[at(10, 100.0, 1.0), at(50, 111.0, 2.0)]), None);
        assert!(knee(&[at(10, 100.0, 1.0), at(50, 109.0, 2.0)]).is_some());
    }

    #[test]
    fn without_longer_times_a_flat_throughput_is_none() {
        assert_eq!(knee(&[at(10, 40.0, 200.0), at(50, 40.0, 200.0)]), None);
    }
}
