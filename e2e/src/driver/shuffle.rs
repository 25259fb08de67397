//! The order of the tests: drawn from the seed, realised by nextest's priorities.

use std::collections::BTreeMap;

use stigmer_e2e::{harness::budget, rng::SplitMix64};

/// The priorities nextest knows.
const HIGHEST: i32 = 100;
const LOWEST: i32 = -100;
const PRIORITIES: usize = (HIGHEST - LOWEST + 1) as usize;

/// Tests in the order in which they start, by priority, highest first. Tests of one priority are in
/// alphabetic order, as nextest starts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order(BTreeMap<i32, Vec<String>>);

impl Order {
    /// The order that `seed` gives to `names`; how they are listed does not matter. Those that mostly
    /// wait come first, in an order of their own: a run would otherwise end with waiting for them.
    pub fn new(names: &[String], seed: u64) -> Self {
        let mut shuffled = names.to_vec();
        shuffled.sort();
        SplitMix64::new(seed).shuffle(&mut shuffled);
        shuffled.sort_by_key(|name| !budget::waits(name));
        Self::given(shuffled)
    }

    /// The order of `names` itself, as far as there are priorities for it: among more than 201 tests,
    /// neighbours may share one.
    pub fn given(names: Vec<String>) -> Self {
        let mut priorities: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        let count = names.len();
        for (rank, name) in names.into_iter().enumerate() {
            priorities
                .entry(priority(rank, count))
                .or_default()
                .push(name);
        }
        priorities.values_mut().for_each(|names| names.sort());
        Self(priorities)
    }

    /// Each priority with its tests, highest first.
    pub fn priorities(&self) -> impl Iterator<Item = (i32, &[String])> {
        self.0
            .iter()
            .rev()
            .map(|(priority, names)| (*priority, names.as_slice()))
    }

    /// The names in the order in which they start.
    pub fn names(&self) -> Vec<String> {
        self.priorities()
            .flat_map(|(_, names)| names.to_vec())
            .collect()
    }
}

/// Spreads the ranks over the priorities that there are.
fn priority(rank: usize, count: usize) -> i32 {
    let step = if count <= PRIORITIES {
        rank
    } else {
        rank * PRIORITIES / count
    };
    HIGHEST - i32::try_from(step).expect("at most 200 steps")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("test_{n:04}")).collect()
    }

    #[test]
    fn a_seed_means_the_same_order_next_year() {
        assert_eq!(
            Order::new(&names(5), 42).names(),
            [
                "test_0001",
                "test_0002",
                "test_0004",
                "test_0000",
                "test_0003"
            ]
        );
    }

    #[test]
    fn a_given_order_is_kept() {
        let mut reversed = names(201);
        reversed.reverse();
        assert_eq!(Order::given(reversed.clone()).names(), reversed);
    }

    #[test]
    fn tests_that_wait_come_first() {
        let waiting = ["z::waiting::slow", "full_execution::real_model::ful_01"];
        let all = [names(20), waiting.map(ToOwned::to_owned).into()].concat();
        let mut first = Order::new(&all, 1).names()[..2].to_vec();
        first.sort_by(|a, b| b.cmp(a));
        assert_eq!(first, waiting);
    }

    #[test]
    fn another_seed_gives_another_order() {
        assert_ne!(Order::new(&names(50), 1), Order::new(&names(50), 2));
    }

    proptest! {
        #[test]
        fn the_order_holds_every_test_once_and_does_not_depend_on_the_list(count in 0usize..500, seed in any::<u64>()) {
            let mut reversed = names(count);
            reversed.reverse();
            let order = Order::new(&names(count), seed);
            prop_assert_eq!(&order, &Order::new(&reversed, seed));
            let mut all = order.names();
            all.sort();
            prop_assert_eq!(all, names(count));
            prop_assert!(order.priorities().all(|(priority, _)| (LOWEST..=HIGHEST).contains(&priority)));
        }
    }
}
