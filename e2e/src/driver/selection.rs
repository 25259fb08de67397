//! Which tests run: the suite's list, and the filters of the command line.

mod shards;

use std::{collections::BTreeSet, fmt};

use stigmer_e2e::harness::ids_of;
use stigmer_e2e_plan::{Selection, Tier};

use crate::results::{Scenario, function};

pub use shards::cut;

/// How many near misses an error names.
const NEAR_MISSES: usize = 3;

/// One test of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteTest {
    /// Its path in the suite.
    pub path: String,
    /// The scenarios that its name claims.
    pub ids: Vec<String>,
    /// Whether it talks to the shared model.
    pub real_model: bool,
    /// The tier from which on it runs.
    pub tier: Tier,
}

/// The tests in the answer of `suite --list --format terse`, in its order.
pub fn parse_list(terse: &str, scenarios: &[Scenario]) -> Vec<SuiteTest> {
    let path = |line: &str| line.strip_suffix(": test").map(str::to_owned);
    terse
        .lines()
        .filter_map(path)
        .map(|path| suite_test(path, scenarios))
        .collect()
}

fn suite_test(path: String, scenarios: &[Scenario]) -> SuiteTest {
    let ids = ids_of(function(&path));
    let is_real = |id: &String| {
        scenarios
            .iter()
            .any(|scenario| scenario.id == *id && scenario.is_real())
    };
    let real_model = path.contains("real_model") || ids.iter().any(is_real);
    SuiteTest {
        tier: Tier::of(&path),
        path,
        ids,
        real_model,
    }
}

/// A filter that selects nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingMatches {
    /// The filter.
    pub filter: String,
    /// It names a scenario of the acceptance list that has no test.
    pub known_scenario: bool,
    /// It selects tests, all of them of a later tier than was asked for.
    pub later_tier: Option<Tier>,
    /// Ids and names that look like it.
    pub near: Vec<String>,
}

impl fmt::Display for NothingMatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no test matches {:?}", self.filter)?;
        if let Some(tier) = self.later_tier {
            return write!(f, " in this tier, and some in the tier {tier} do");
        }
        if self.known_scenario {
            f.write_str(": the acceptance list has this scenario, the suite has no test for it")?;
        }
        if !self.near.is_empty() {
            write!(f, " (near: {})", self.near.join(", "))?;
        }
        Ok(())
    }
}

/// The tests of the tier that at least one of the filters selects, in the suite's order; all of the
/// tier without a filter. A filter is a scenario id (`APP-01`), an area (`APP`), or a part of a path;
/// case counts only in paths. A selection may also name exactly some paths; then it is these in its
/// order. Its shard is not cut yet.
///
/// # Errors
///
/// The first filter that selects nothing: it is a mistake even when others select something.
pub fn select(
    suite: &[SuiteTest],
    selection: &Selection,
    scenarios: &[Scenario],
) -> Result<Vec<SuiteTest>, NothingMatches> {
    let Selection { tier, filters, .. } = selection;
    if !selection.exactly.is_empty() {
        return exactly(suite, &selection.exactly, scenarios);
    }
    let chosen = filters.iter().map(|filter| {
        let matching = (0..suite.len()).filter(|index| matches(&suite[*index], filter));
        let (now, later): (Vec<_>, Vec<_>) =
            matching.partition(|index| suite[*index].tier <= *tier);
        if now.is_empty() {
            let later_tier = later.iter().map(|index| suite[*index].tier).min();
            Err(nothing(suite, filter, later_tier, scenarios))
        } else {
            Ok(now)
        }
    });
    let chosen: BTreeSet<usize> = chosen
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    let is_chosen = |index: &usize| {
        chosen.contains(index) || (filters.is_empty() && suite[*index].tier <= *tier)
    };
    Ok((0..suite.len())
        .filter(is_chosen)
        .map(|index| suite[index].clone())
        .collect())
}

fn exactly(
    suite: &[SuiteTest],
    paths: &[String],
    scenarios: &[Scenario],
) -> Result<Vec<SuiteTest>, NothingMatches> {
    let find = |path: &String| {
        let found = suite.iter().find(|test| test.path == *path).cloned();
        found.ok_or_else(|| nothing(suite, path, None, scenarios))
    };
    paths.iter().map(find).collect()
}

fn matches(test: &SuiteTest, filter: &str) -> bool {
    let upper = filter.to_uppercase();
    let is_id = |id: &String| id.to_uppercase() == upper;
    let is_area = |id: &String| id.split('-').next() == Some(&upper);
    test.ids.iter().any(|id| is_id(id) || is_area(id)) || test.path.contains(filter)
}

fn nothing(
    suite: &[SuiteTest],
    filter: &str,
    later_tier: Option<Tier>,
    scenarios: &[Scenario],
) -> NothingMatches {
    let upper = filter.to_uppercase();
    let ids = suite
        .iter()
        .flat_map(|test| test.ids.iter().map(String::as_str));
    let names = suite.iter().map(|test| function(&test.path));
    let candidates: BTreeSet<&str> = ids.chain(names).collect();
    let mut scored: Vec<_> = candidates
        .into_iter()
        .filter_map(|name| Some((likeness(&upper, &name.to_uppercase())?, name)))
        .collect();
    scored.sort();
    NothingMatches {
        filter: filter.to_owned(),
        later_tier,
        known_scenario: scenarios
            .iter()
            .any(|scenario| scenario.id.to_uppercase() == upper),
        near: scored
            .into_iter()
            .take(NEAR_MISSES)
            .map(|(_, name)| name.to_owned())
            .collect(),
    }
}

/// How far `name` is from what was typed; nothing when it is too far to be meant. A long name is
/// compared piece by piece, so that a mistyped part of it is recognised.
fn likeness(typed: &str, name: &str) -> Option<usize> {
    let limit = (typed.chars().count() / 3).max(1);
    let (typed, name): (Vec<char>, Vec<char>) = (typed.chars().collect(), name.chars().collect());
    let pieces = name.windows(typed.len().clamp(1, name.len().max(1)));
    pieces
        .map(|piece| distance(&typed, piece))
        .min()
        .filter(|distance| *distance <= limit)
}

/// The number of characters to insert, remove, or replace (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
