//! Delta debugging (Zeller's ddmin): from many tests that together make another one fail to a few of
//! which none can be left out. A state machine, because each question is a run that takes seconds.

/// A search for the few items without which something no longer fails. Ask [`Minimised::trial`], run
/// it, tell [`Minimised::answer`], until there is no trial left.
#[derive(Clone, Debug)]
pub struct Minimised<T> {
    /// They are known to make it fail.
    culprits: Vec<T>,
    /// How many parts they are cut into.
    parts: usize,
    /// Which question is asked: first each part alone, then all but each part.
    question: usize,
    /// Each item was left out, and each time it did not fail.
    is_minimal: bool,
    trials: usize,
}

/// Starts with `items`, which together make something fail; without any of them it does not.
pub fn minimise<T: Clone>(items: Vec<T>) -> Minimised<T> {
    Minimised {
        parts: 2.min(items.len()),
        culprits: items,
        question: 0,
        is_minimal: false,
        trials: 0,
    }
}

impl<T: Clone> Minimised<T> {
    /// What to try next, in the order of the items; nothing when no item can be left out.
    pub fn trial(&self) -> Option<Vec<T>> {
        if self.culprits.len() < 2 || self.is_minimal {
            return None;
        }
        let (part, alone) = (self.question % self.parts, self.question < self.parts);
        let within = |index: usize| {
            let (from, to) = self.bounds(part);
            (from..to).contains(&index)
        };
        let kept = self.culprits.iter().enumerate();
        let kept = kept.filter(|(index, _)| within(*index) == alone);
        Some(kept.map(|(_, item)| item.clone()).collect())
    }

    /// Whether the last [`Minimised::trial`] made it fail.
    pub fn answer(&mut self, fails: bool) {
        let Some(trial) = self.trial() else { return };
        self.trials += 1;
        if fails {
            let alone = self.question < self.parts;
            self.parts = if alone { 2 } else { (self.parts - 1).max(2) };
            self.parts = self.parts.min(trial.len());
            self.culprits = trial;
            self.question = 0;
            return;
        }
        self.question += 1;
        // All but one of two parts is the other part, which was asked already.
        let questions = if self.parts == 2 { 2 } else { 2 * self.parts };
        if self.question < questions {
            return;
        }
        if self.parts == self.culprits.len() {
            self.is_minimal = true;
        } else {
            self.parts = (2 * self.parts).min(self.culprits.len());
            self.question = 0;
        }
    }

    /// The fewest items known so far that make it fail.
    pub fn culprits(&self) -> &[T] {
        &self.culprits
    }

    /// How many trials were answered.
    pub fn trials(&self) -> usize {
        self.trials
    }

    fn bounds(&self, part: usize) -> (usize, usize) {
        let count = self.culprits.len();
        (part * count / self.parts, (part + 1) * count / self.parts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn search(count: usize, fails: impl Fn(&[usize]) -> bool) -> Minimised<usize> {
        let mut search = minimise((0..count).collect());
        while let Some(trial) = search.trial() {
            search.answer(fails(&trial));
        }
        search
    }

    #[test]
    fn one_polluter_among_many_is_found_in_a_logarithm_of_trials() {
        let search = search(1000, |trial| trial.contains(&617));
        assert_eq!(search.culprits(), [617]);
        assert!(search.trials() <= 20, "{} trials", search.trials());
    }

    #[test]
    fn two_that_only_fail_together_are_found_in_their_order() {
        let search = search(100, |trial| trial.contains(&3) && trial.contains(&98));
        assert_eq!(search.culprits(), [3, 98]);
    }

    #[test]
    fn a_single_item_needs_no_trial() {
        assert_eq!(search(1, |_| true).trials(), 0);
        assert_eq!(search(0, |_| true).culprits(), [0; 0]);
    }

    proptest! {
        #[test]
        fn exactly_the_needed_items_are_left(count in 1usize..60, picks in prop::collection::btree_set(0usize..60, 1..6)) {
            let needed: BTreeSet<usize> = picks.into_iter().map(|pick| pick % count).collect();
            let search = search(count, |trial| needed.iter().all(|item| trial.contains(item)));
            let needed: Vec<_> = needed.into_iter().collect();
            prop_assert_eq!(search.culprits(), needed);
        }

        #[test]
        fn whatever_fails_the_rest_fails_and_no_item_can_be_left_out(count in 2usize..16, salt in any::<u64>()) {
            // No pattern in it: leaving something out may even bring a failure back.
            let fails = |trial: &[usize]| {
                let mix = trial.iter().fold(salt, |mix, item| {
                    (mix ^ (*item as u64 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
                });
                trial.len() == count || (!trial.is_empty() && mix % 3 == 0)
            };
            let found = search(count, fails);
            prop_assert!(fails(found.culprits()));
            if found.culprits().len() > 1 {
                for out in found.culprits() {
                    let rest: Vec<_> = found.culprits().iter().copied().filter(|item| item != out).collect();
                    prop_assert!(!fails(&rest), "{out} can be left out");
                }
            }
        }
    }
}
