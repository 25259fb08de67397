//! How long to wait between two looks at a service that is not ready yet.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(250);

/// Doubles from 5 ms up to 250 ms; each wait is drawn between half of that and all of it, so that
/// many waiters do not look in step.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    seed: u64,
    waits: u64,
}

impl Backoff {
    /// A fresh series; the same seed gives the same waits.
    pub fn new(seed: u64) -> Self {
        Self {
            next: FIRST,
            seed,
            waits: 0,
        }
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let longest = self.next;
        self.next = (longest * 2).min(LONGEST);
        longest / 2 + longest.mul_f64(self.chance() / 2.0)
    }

    /// A number in `[0, 1)`.
    fn chance(&mut self) -> f64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, self.waits).hash(&mut hasher);
        self.waits += 1;
        // 53 bits are what a double holds exactly.
        (hasher.finish() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_milliseconds_to_a_quarter_of_a_second_and_no_further() {
        let mut backoff = Backoff::new(1);
        let waits: Vec<_> = (0..50).map(|_| backoff.wait()).collect();
        assert!(waits[0] <= FIRST && waits[0] >= FIRST / 2, "{:?}", waits[0]);
        assert!(waits.iter().all(|wait| *wait <= LONGEST), "{waits:?}");
        assert!(
            waits[10..].iter().all(|wait| *wait >= LONGEST / 2),
            "{waits:?}"
        );
    }

    #[test]
    fn two_waiters_do_not_look_in_step() {
        let (mut one, mut other) = (Backoff::new(1), Backoff::new(2));
        assert!((0..8).any(|_| one.wait() != other.wait()));
    }
}
