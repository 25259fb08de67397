//! Whether a process that is ready still does its work.

use std::time::{Duration, Instant};

use super::Readiness;

/// How a ready process is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// The time between two looks.
    pub every: Duration,
    /// How long a look may take.
    pub answer_within: Duration,
    /// Looks in a row that must fail before the process counts as unhealthy.
    pub failures: u32,
}

impl Default for HealthPolicy {
    /// A process that hangs is noticed within 15 seconds, one that says so within 6.
    fn default() -> Self {
        Self {
            every: Duration::from_secs(2),
            answer_within: Duration::from_secs(3),
            failures: 3,
        }
    }
}

/// The watch over one ready process.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Health {
    policy: HealthPolicy,
    failures: u32,
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    Due(Instant),
    Since(Instant),
}

/// What the watch says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// Nothing to do.
    Nothing,
    /// It is time for a look.
    LookNow,
    /// It is unhealthy; this is what was seen last.
    Unhealthy(String),
}

impl Health {
    pub(super) fn new(policy: HealthPolicy, now: Instant) -> Self {
        Self {
            policy,
            failures: 0,
            look: Look::Due(now + policy.every),
        }
    }

    /// When time itself changes something.
    pub(super) fn deadline(&self) -> Instant {
        match self.look {
            Look::Due(at) => at,
            Look::Since(since) => since + self.policy.answer_within,
        }
    }

    /// What follows from the time.
    pub(super) fn tick(&mut self, now: Instant) -> Finding {
        if now < self.deadline() {
            return Finding::Nothing;
        }
        match self.look {
            Look::Due(_) => {
                self.look = Look::Since(now);
                Finding::LookNow
            }
            Look::Since(_) => {
                let limit = self.policy.answer_within;
                self.failed(format!("no answer within {limit:?}"), now)
            }
        }
    }

    /// What follows from a look. An answer that nobody waits for any more is not believed.
    pub(super) fn looked(&mut self, readiness: Readiness, now: Instant) -> Finding {
        if matches!(self.look, Look::Due(_)) {
            return Finding::Nothing;
        }
        match readiness {
            Readiness::Ready => {
                self.failures = 0;
                self.look = Look::Due(now + self.policy.every);
                Finding::Nothing
            }
            Readiness::NotYet(seen) => self.failed(seen, now),
        }
    }

    fn failed(&mut self, seen: String, now: Instant) -> Finding {
        self.failures += 1;
        self.look = Look::Due(now + self.policy.every);
        if self.failures >= self.policy.failures {
            Finding::Unhealthy(seen)
        } else {
            Finding::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> (Health, Instant) {
        let now = Instant::now();
        (Health::new(HealthPolicy::default(), now), now)
    }

    fn sick() -> Readiness {
        Readiness::NotYet("NOT_SERVING".to_owned())
    }

    /// Lets time pass to the next deadline.
    fn next(health: &mut Health, now: &mut Instant) -> Finding {
        *now = health.deadline();
        health.tick(*now)
    }

    #[test]
    fn a_process_that_never_answers_is_unhealthy_within_fifteen_seconds() {
        let (mut health, start) = watch();
        let mut now = start;
        let seen = loop {
            if let Finding::Unhealthy(seen) = next(&mut health, &mut now) {
                break seen;
            }
        };
        assert_eq!(seen, "no answer within 3s");
        assert_eq!(now - start, Duration::from_secs(15));
    }

    #[test]
    fn one_good_answer_makes_up_for_two_bad_ones() {
        let (mut health, mut now) = watch();
        for _ in 0..5 {
            for answer in [sick(), sick(), Readiness::Ready] {
                assert_eq!(next(&mut health, &mut now), Finding::LookNow);
                assert_eq!(health.looked(answer, now), Finding::Nothing);
            }
        }
    }

    #[test]
    fn three_bad_answers_in_a_row_tell_the_last_one() {
        let (mut health, mut now) = watch();
        for _ in 0..2 {
            next(&mut health, &mut now);
            assert_eq!(health.looked(sick(), now), Finding::Nothing);
        }
        next(&mut health, &mut now);
        assert_eq!(
            health.looked(sick(), now),
            Finding::Unhealthy("NOT_SERVING".to_owned())
        );
    }

    #[test]
    fn an_answer_that_comes_too_late_is_not_believed() {
        let (mut health, mut now) = watch();
        next(&mut health, &mut now);
        next(&mut health, &mut now);
        assert_eq!(health.looked(Readiness::Ready, now), Finding::Nothing);
        next(&mut health, &mut now);
        health.looked(sick(), now);
        next(&mut health, &mut now);
        assert!(matches!(health.looked(sick(), now), Finding::Unhealthy(_)));
    }
}
