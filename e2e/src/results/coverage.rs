//! `coverage.json` and `coverage.md`: which scenario of the acceptance list is proven by which test,
//! which fixture came through what, and which methods, commands, and kinds of tasks were used. Generated from the lists and from what ran.

mod fixtures;
mod uses;

use serde::Serialize;

pub use fixtures::Fixtures;
pub use uses::Uses;

use super::{TestOutcome, TestVerdict};

/// A scenario of the acceptance list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scenario {
    /// Its id, such as `APP-01`.
    pub id: String,
    /// Where the list has it from: `U`, `U-`, `F`, or `N`.
    pub source: String,
    /// `p` every commit, `n` nightly, `r` real model.
    pub tier: String,
}

impl Scenario {
    /// Whether it needs a real model.
    pub fn is_real(&self) -> bool {
        self.tier == "r"
    }
}

/// The scenarios of an acceptance list in Markdown: items such as ``1. **APP-01** `U p` ...``.
pub fn scenarios(markdown: &str) -> Vec<Scenario> {
    markdown.lines().filter_map(scenario).collect()
}

fn scenario(line: &str) -> Option<Scenario> {
    let (number, rest) = line.split_once(". **")?;
    let (id, rest) = rest.split_once("** `")?;
    let (mark, _) = rest.split_once('`')?;
    let (source, tier) = mark.split_once(' ')?;
    let is_item = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_item.then(|| Scenario {
        id: id.to_owned(),
        source: source.to_owned(),
        tier: tier.to_owned(),
    })
}

/// How a scenario stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// All its tests passed.
    Passed,
    /// One of its tests failed.
    Failed,
    /// None failed, and one was skipped or not finished.
    Open,
    /// It has tests, and none was selected.
    NotSelected,
    /// It has no test.
    NoTest,
}

/// One scenario with its tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The scenario.
    #[serde(flatten)]
    pub scenario: Scenario,
    /// How it stands.
    pub proof: Proof,
    /// Its tests.
    pub tests: Vec<RowTest>,
}

/// One test of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowTest {
    /// Its path in the suite.
    pub name: String,
    /// How it stands; nothing when it was not selected.
    pub verdict: Option<TestVerdict>,
}

/// A test whose name carries an id that the list does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownId {
    /// The id.
    pub id: String,
    /// The test.
    pub test: String,
}

/// The whole table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// One row per scenario, in the list's order.
    pub scenarios: Vec<Row>,
    /// Ids that the list does not have.
    pub unknown: Vec<UnknownId>,
    /// One row per fixture.
    pub fixtures: Fixtures,
    /// What the tests used of the API, the CLI, and the kinds of tasks.
    pub used: Uses,
}

impl Coverage {
    /// The table for a list, the whole suite (path and ids of each test), and the selected tests;
    /// without fixtures and uses.
    pub fn new(
        scenarios: &[Scenario],
        suite: &[(String, Vec<String>)],
        outcomes: &[TestOutcome],
    ) -> Self {
        let verdict = |name: &str| {
            outcomes
                .iter()
                .find(|outcome| outcome.name == name)
                .map(|outcome| outcome.verdict)
        };
        let row = |scenario: &Scenario| {
            let of_scenario = suite.iter().filter(|(_, ids)| ids.contains(&scenario.id));
            let tests: Vec<_> = of_scenario
                .map(|(name, _)| RowTest {
                    name: name.clone(),
                    verdict: verdict(name),
                })
                .collect();
            Row {
                scenario: scenario.clone(),
                proof: proof(&tests),
                tests,
            }
        };
        let is_unknown = |id: &&String| !scenarios.iter().any(|scenario| scenario.id == **id);
        let unknown = suite.iter().flat_map(|(test, ids)| {
            ids.iter().filter(is_unknown).map(|id| UnknownId {
                id: id.clone(),
                test: test.clone(),
            })
        });
        Self {
            scenarios: scenarios.iter().map(row).collect(),
            unknown: unknown.collect(),
            fixtures: Fixtures::default(),
            used: Uses::default(),
        }
    }

    /// The same with a table of fixtures.
    #[must_use]
    pub fn with_fixtures(self, fixtures: Fixtures) -> Self {
        Self { fixtures, ..self }
    }

    /// The same with what the tests used.
    #[must_use]
    pub fn with_uses(self, used: Uses) -> Self {
        Self { used, ..self }
    }

    /// The table for people.
    pub fn markdown(&self) -> String {
        let count = |proof| {
            self.scenarios
                .iter()
                .filter(|row| row.proof == proof)
                .count()
        };
        let mut text = format!(
            "# Scenarios and their tests\n\n{} scenarios: {} passed, {} failed, {} open, {} not selected, {} without a test.\n\n",
            self.scenarios.len(),
            count(Proof::Passed),
            count(Proof::Failed),
            count(Proof::Open),
            count(Proof::NotSelected),
            count(Proof::NoTest),
        );
        for unknown in &self.unknown {
            text.push_str(&format!(
                "**Unknown id {}** in the name of `{}`.\n\n",
                unknown.id, unknown.test
            ));
        }
        text.push_str("| Scenario | Tier | Verdict | Tests |\n|---|---|---|---|\n");
        for row in &self.scenarios {
            let tests: Vec<_> = row
                .tests
                .iter()
                .map(|test| format!("`{}`", test.name))
                .collect();
            text.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                row.scenario.id,
                row.scenario.tier,
                row.proof.words(),
                tests.join(", ")
            ));
        }
        text.push_str(&self.fixtures.markdown());
        text.push_str(&self.used.markdown());
        text
    }
}

impl Proof {
    fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "**failed**",
            Self::Open => "open",
            Self::NotSelected => "not selected",
            Self::NoTest => "no test",
        }
    }
}

fn proof(tests: &[RowTest]) -> Proof {
    let any = |wanted: &[TestVerdict]| {
        tests.iter().any(|test| {
            test.verdict
                .is_some_and(|verdict| wanted.contains(&verdict))
        })
    };
    if tests.is_empty() {
        Proof::NoTest
    } else if any(&[TestVerdict::Failed, TestVerdict::TimedOut]) {
        Proof::Failed
    } else if any(&[
        TestVerdict::Skipped,
        TestVerdict::Running,
        TestVerdict::NotRun,
    ]) {
        Proof::Open
    } else if any(&[TestVerdict::Passed]) {
        Proof::Passed
    } else {
        Proof::NotSelected
    }
}

#[cfg(test)]
mod tests;
