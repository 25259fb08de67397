//! Which revision made a test fail: bisection over what is known of each revision, which for a flaky
//! test is evidence and never proof.

use stigmer_e2e_numbers::{CONFIDENCE, clean_runs_for};

use crate::Rate;

/// What is known of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Too little.
    Unknown,
    /// The test failed there.
    Bad,
    /// It passed so often that it would have failed, were it as flaky as it is later.
    Good,
    /// It cannot be built, or has no such test.
    Untestable,
}

impl Evidence {
    /// What `rate` says where `enough` clean runs are called good.
    pub fn of(rate: &Rate, enough: u64) -> Self {
        match (rate.failures, rate.runs) {
            (1.., _) => Self::Bad,
            (0, runs) if runs >= enough => Self::Good,
            _ => Self::Unknown,
        }
    }

    /// How many clean runs are enough, given how often the test fails where it is known to: as many as
    /// half that rate would let pass with a chance of 5 % only.
    pub fn enough_against(bad: &Rate) -> u64 {
        clean_runs_for((bad.rate / 2.0).clamp(0.001, 0.5), CONFIDENCE)
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Run the test at this place in the list.
    Probe(usize),
    /// It is one of these places: one, unless those between cannot be tested.
    Found(Vec<usize>),
    /// The test fails at the first revision already.
    BadFromTheStart,
    /// The test did not fail at the last revision.
    NotBadAtTheEnd,
}

/// A search among revisions, oldest first: good at the first, bad at the last.
#[derive(Clone, Debug)]
pub struct Bisection(Vec<Evidence>);

impl Bisection {
    /// Starts with what is known of each revision.
    pub fn new(known: Vec<Evidence>) -> Self {
        Self(known)
    }

    /// Takes in what a probe of the revision at `place` said.
    pub fn learn(&mut self, place: usize, evidence: Evidence) {
        // A probe that said nothing would be asked for again, for ever.
        self.0[place] = match evidence {
            Evidence::Unknown => Evidence::Untestable,
            told => told,
        };
    }

    /// The places that what is known so far does not clear: those after the latest good revision before
    /// the earliest bad one, up to that.
    pub fn suspects(&self) -> Vec<usize> {
        let bad = self.0.iter().position(|it| *it == Evidence::Bad);
        let bad = bad.unwrap_or(self.0.len().saturating_sub(1));
        let good = self.0[..bad].iter().rposition(|it| *it == Evidence::Good);
        (good.map_or(0, |good| good + 1)..=bad).collect()
    }

    /// What to do next. Only what lies between the earliest bad revision and the latest good one
    /// before it is looked at.
    pub fn step(&self) -> Step {
        let last = self.0.len().saturating_sub(1);
        match (self.0.first(), self.0.get(last)) {
            (Some(Evidence::Unknown), _) => return Step::Probe(0),
            (_, Some(Evidence::Unknown)) => return Step::Probe(last),
            _ => {}
        }
        let Some(bad) = self.0.iter().position(|it| *it == Evidence::Bad) else {
            return Step::NotBadAtTheEnd;
        };
        let Some(good) = self.0[..bad].iter().rposition(|it| *it == Evidence::Good) else {
            return Step::BadFromTheStart;
        };
        let open = (good + 1..bad).filter(|place| self.0[*place] == Evidence::Unknown);
        let middle = usize::midpoint(good, bad);
        match open.min_by_key(|place| place.abs_diff(middle)) {
            Some(place) => Step::Probe(place),
            None => Step::Found(self.suspects()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches `count` revisions of which those from `culprit` on fail; returns the end, and how many
    /// probes it took.
    fn search(count: usize, culprit: usize, untestable: impl Fn(usize) -> bool) -> (Step, usize) {
        let mut bisection = Bisection::new(vec![Evidence::Unknown; count]);
        let mut probes = 0;
        loop {
            let place = match bisection.step() {
                Step::Probe(place) => place,
                end => return (end, probes),
            };
            probes += 1;
            bisection.learn(
                place,
                match place {
                    place if untestable(place) => Evidence::Untestable,
                    place if place >= culprit => Evidence::Bad,
                    _ => Evidence::Good,
                },
            );
        }
    }

    #[test]
    fn what_is_known_is_not_run_again() {
        let known = vec![
            Evidence::Good,
            Evidence::Unknown,
            Evidence::Good,
            Evidence::Bad,
            Evidence::Unknown,
            Evidence::Bad,
        ];
        assert_eq!(Bisection::new(known).step(), Step::Found(vec![3]));
    }

    #[test]
    fn a_range_without_a_change_is_told() {
        assert_eq!(search(5, 0, |_| false).0, Step::BadFromTheStart);
        assert_eq!(search(5, 9, |_| false).0, Step::NotBadAtTheEnd);
    }

    #[test]
    fn revisions_that_cannot_be_tested_stay_suspects() {
        assert_eq!(search(9, 5, |place| place == 5).0, Step::Found(vec![5, 6]));
    }

    #[test]
    fn so_many_clean_runs_are_good_as_the_later_rate_asks_for() {
        let enough = Evidence::enough_against(&Rate::new(10, 100));
        assert_eq!(enough, 59);
        assert_eq!(Evidence::of(&Rate::new(0, enough), enough), Evidence::Good);
        assert_eq!(Evidence::of(&Rate::new(0, 58), enough), Evidence::Unknown);
        assert_eq!(Evidence::of(&Rate::new(1, 500), enough), Evidence::Bad);
        assert_eq!(Evidence::enough_against(&Rate::new(3, 3)), 5);
    }

    proptest! {
        #[test]
        fn the_culprit_is_found_in_a_logarithm_of_probes(count in 2usize..500, place in any::<prop::sample::Index>()) {
            let culprit = 1 + place.index(count - 1);
            let (end, probes) = search(count, culprit, |_| false);
            prop_assert_eq!(end, Step::Found(vec![culprit]));
            prop_assert!(probes <= 3 + count.ilog2() as usize, "{} probes", probes);
        }

        #[test]
        fn it_ends_and_the_culprit_is_among_the_suspects(count in 3usize..60, place in any::<prop::sample::Index>(), holes in any::<u64>()) {
            let culprit = 1 + place.index(count - 1);
            let untestable = |at: usize| at > 0 && at < count - 1 && holes >> (at % 64) & 1 == 1;
            match search(count, culprit, untestable).0 {
                Step::Found(suspects) => prop_assert!(suspects.contains(&culprit)),
                end => prop_assert!(false, "{end:?}"),
            }
        }
    }
}
