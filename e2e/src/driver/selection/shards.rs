//! A part of the selected tests, so that several machines take about equally long. Every machine cuts
//! all parts and runs its own, so that together they are the whole.

use std::{cmp::Reverse, collections::BTreeMap};

use stigmer_e2e_plan::Shard;

use super::SuiteTest;

/// The tests of `shard`, in the order of `tests`. `times` has milliseconds by path; a test that is not
/// in it is taken for one of median length. The longest first, each to the part with the least to do
/// (Graham's LPT: no part takes longer than 4/3 of the best possible).
pub fn cut(tests: &[SuiteTest], shard: Shard, times: &BTreeMap<String, u64>) -> Vec<SuiteTest> {
    let mut known: Vec<u64> = tests
        .iter()
        .filter_map(|test| times.get(&test.path).copied())
        .collect();
    known.sort_unstable();
    let usual = known.get(known.len() / 2).copied().unwrap_or(1).max(1);
    let time = |test: &SuiteTest| times.get(&test.path).copied().unwrap_or(usual);
    let mut longest_first: Vec<_> = tests.iter().collect();
    // By name among equals, so that the order of the list does not matter.
    longest_first.sort_by_key(|test| (Reverse(time(test)), test.path.clone()));
    let mut loads = vec![0; shard.of];
    let mut own = Vec::new();
    for test in longest_first {
        let part = (0..shard.of)
            .min_by_key(|part| loads[*part])
            .expect("there is at least one part");
        loads[part] += time(test);
        if part + 1 == shard.index {
            own.push(test.path.as_str());
        }
    }
    let is_own = |test: &&SuiteTest| own.contains(&test.path.as_str());
    tests.iter().filter(is_own).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stigmer_e2e_plan::Tier;

    use super::*;

    fn suite(count: usize) -> Vec<SuiteTest> {
        let test = |n: usize| SuiteTest {
            path: format!("m::t{n}"),
            ids: Vec::new(),
            real_model: false,
            tier: Tier::Commit,
        };
        (0..count).map(test).collect()
    }

    fn parts(suite: &[SuiteTest], of: usize, times: &BTreeMap<String, u64>) -> Vec<Vec<String>> {
        let part = |index| cut(suite, Shard { index, of }, times);
        let paths = |tests: Vec<SuiteTest>| tests.into_iter().map(|test| test.path).collect();
        (1..=of).map(part).map(paths).collect()
    }

    #[test]
    fn one_long_test_is_worth_many_short_ones() {
        let mut times: BTreeMap<_, _> = (0..10).map(|n| (format!("m::t{n}"), 10)).collect();
        times.insert("m::t7".to_owned(), 90);
        let parts = parts(&suite(10), 2, &times);
        assert_eq!(parts[0], ["m::t7"]);
        assert_eq!(parts[1].len(), 9);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole_have_nothing_in_common_and_are_balanced(
            count in 0usize..200, of in 1usize..9, given in prop::collection::vec(1u64..1000, 0..200)
        ) {
            let suite = suite(count);
            let times: BTreeMap<_, _> = given.iter().enumerate().map(|(n, ms)| (format!("m::t{n}"), *ms)).collect();
            let cut = parts(&suite, of, &times);
            let mut reversed = suite.clone();
            reversed.reverse();
            for (part, again) in cut.iter().zip(parts(&reversed, of, &times)) {
                let again: Vec<_> = again.into_iter().rev().collect();
                prop_assert_eq!(part, &again, "the order of the list matters");
            }
            let mut all: Vec<_> = cut.concat();
            all.sort();
            let mut whole: Vec<_> = suite.iter().map(|test| test.path.clone()).collect();
            whole.sort();
            prop_assert_eq!(all, whole);
            if count > 0 && count <= given.len() {
                let load = |part: &Vec<String>| part.iter().map(|path| times[path]).sum::<u64>();
                let longest = cut.iter().map(load).max().unwrap_or_default() as f64;
                let total: u64 = cut.iter().map(load).sum();
                let most = suite.iter().map(|test| times[&test.path]).max().unwrap_or_default() as f64;
                prop_assert!(longest <= total as f64 / of as f64 + most);
            }
        }
    }
}
