//! When a process that worked is started again.

use std::time::Duration;

/// How a process that had been ready is started again after it failed. A first start that fails is
/// final: whoever asked for it is there to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The wait before the first restart.
    pub first: Duration,
    /// The waits double up to this one.
    pub longest: Duration,
    /// Restarts in a row before it is given up.
    pub limit: u32,
    /// A process that was ready for this long has made up for the failures before.
    pub forgiven_after: Duration,
}

impl Default for RestartPolicy {
    /// Ten restarts in about a minute, the first after 100 ms.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(15),
            limit: 10,
            forgiven_after: Duration::from_secs(60),
        }
    }
}

/// The restarts of one process.
#[derive(Clone, Debug)]
pub(super) struct Restarts {
    policy: RestartPolicy,
    in_a_row: u32,
}

impl Restarts {
    pub(super) fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            in_a_row: 0,
        }
    }

    /// The wait before the next start of a process that failed after it was ready for `ready_for`;
    /// nothing when it is given up.
    pub(super) fn next(&mut self, ready_for: Duration) -> Option<Duration> {
        if ready_for >= self.policy.forgiven_after {
            self.in_a_row = 0;
        }
        if self.in_a_row >= self.policy.limit {
            return None;
        }
        let doubled = 2u32.checked_pow(self.in_a_row).unwrap_or(u32::MAX);
        self.in_a_row += 1;
        let wait = self.policy.first.saturating_mul(doubled);
        Some(wait.min(self.policy.longest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_tries_ten_times_within_about_a_minute() {
        let mut restarts = Restarts::new(RestartPolicy::default());
        let waits: Vec<_> = std::iter::from_fn(|| restarts.next(Duration::ZERO)).collect();
        assert_eq!(waits.len(), 10);
        assert_eq!(waits[0], Duration::from_millis(100));
        let all: Duration = waits.iter().sum();
        assert!(
            all > Duration::from_secs(50) && all < Duration::from_secs(60),
            "{all:?}"
        );
    }

    #[test]
    fn a_long_good_time_makes_up_for_earlier_failures() {
        let policy = RestartPolicy::default();
        let mut restarts = Restarts::new(policy);
        while restarts.next(Duration::ZERO).is_some() {}
        assert_eq!(restarts.next(policy.forgiven_after), Some(policy.first));
    }

    proptest! {
        #[test]
        fn waits_never_shrink_and_their_number_is_bounded_unless_forgiven(
            first in 1u64..1_000,
            longest in 1u64..60_000,
            limit in 0u32..100,
            ready_for in prop::collection::vec(0u64..59_999, 0..200),
        ) {
            let policy = RestartPolicy {
                first: Duration::from_millis(first),
                longest: Duration::from_millis(longest),
                limit,
                forgiven_after: Duration::from_secs(60),
            };
            let mut restarts = Restarts::new(policy);
            let waits: Vec<_> = ready_for
                .iter()
                .map_while(|ms| restarts.next(Duration::from_millis(*ms)))
                .collect();
            prop_assert!(waits.len() <= limit as usize);
            prop_assert_eq!(waits.len(), ready_for.len().min(limit as usize));
            prop_assert!(waits.is_sorted());
            prop_assert!(waits.iter().all(|wait| *wait <= policy.longest));
        }
    }
}
