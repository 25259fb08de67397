//! `coverage.json` and `coverage.md`: which scenario of the acceptance list is proven by which test,
//! and how that went. Generated from the list and from what ran.

use serde::Serialize;

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
    is_item.then(|| Scenario { id: id.to_owned(), source: source.to_owned(), tier: tier.to_owned() })
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
}

impl Coverage {
    /// The table for a list, the whole suite (path and ids of each test), and the selected tests.
    pub fn new(scenarios: &[Scenario], suite: &[(String, Vec<String>)], outcomes: &[TestOutcome]) -> Self {
        let verdict = |name: &str| outcomes.iter().find(|outcome| outcome.name == name).map(|outcome| outcome.verdict);
        let row = |scenario: &Scenario| {
            let of_scenario = suite.iter().filter(|(_, ids)| ids.contains(&scenario.id));
            let tests: Vec<_> = of_scenario.map(|(name, _)| RowTest { name: name.clone(), verdict: verdict(name) }).collect();
            Row { scenario: scenario.clone(), proof: proof(&tests), tests }
        };
        let is_unknown = |id: &&String| !scenarios.iter().any(|scenario| scenario.id == **id);
        let unknown = suite.iter().flat_map(|(test, ids)| {
            ids.iter().filter(is_unknown).map(|id| UnknownId { id: id.clone(), test: test.clone() })
        });
        Self { scenarios: scenarios.iter().map(row).collect(), unknown: unknown.collect() }
    }

    /// The table for people.
    pub fn markdown(&self) -> String {
        let count = |proof| self.scenarios.iter().filter(|row| row.proof == proof).count();
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
            text.push_str(&format!("**Unknown id {}** in the name of `{}`.\n\n", unknown.id, unknown.test));
        }
        text.push_str("| Scenario | Tier | Verdict | Tests |\n|---|---|---|---|\n");
        for row in &self.scenarios {
            let tests: Vec<_> = row.tests.iter().map(|test| format!("`{}`", test.name)).collect();
            text.push_str(&format!("| {} | {} | {} | {} |\n", row.scenario.id, row.scenario.tier, row.proof.words(), tests.join(", ")));
        }
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
    let any = |wanted: &[TestVerdict]| tests.iter().any(|test| test.verdict.is_some_and(|verdict| wanted.contains(&verdict)));
    if tests.is_empty() {
        Proof::NoTest
    } else if any(&[TestVerdict::Failed, TestVerdict::TimedOut]) {
        Proof::Failed
    } else if any(&[TestVerdict::Skipped, TestVerdict::Running, TestVerdict::NotRun]) {
        Proof::Open
    } else if any(&[TestVerdict::Passed]) {
        Proof::Passed
    } else {
        Proof::NotSelected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
## 2. Apply
Common part (`APP-*`): see **APP-01** `U p` for more.
1. **APP-01** `U p` Fixture 01.
2. **APP-02** `U- p` More.
3. **FIX-14b** `N n` Search.
4. **FUL-01** `U r` Hello.
5. no scenario **APP-99** `U p` here
";

    fn suite(tests: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        tests.iter().map(|(name, ids)| ((*name).to_owned(), ids.iter().map(|id| (*id).to_owned()).collect())).collect()
    }

    fn outcome(name: &str, verdict: TestVerdict) -> TestOutcome {
        TestOutcome { verdict, ..TestOutcome::new(name, &[]) }
    }

    #[test]
    fn only_list_items_with_id_and_mark_are_scenarios() {
        let found: Vec<_> = scenarios(LIST).into_iter().map(|s| (s.id, s.source, s.tier)).collect();
        let expected = [("APP-01", "U", "p"), ("APP-02", "U-", "p"), ("FIX-14b", "N", "n"), ("FUL-01", "U", "r")];
        assert_eq!(found, expected.map(|(id, source, tier)| (id.to_owned(), source.to_owned(), tier.to_owned())));
    }

    #[test]
    fn the_real_list_is_understood_whole() {
        let text = include_str!("../../../docs/contract/acceptance.md");
        let found = scenarios(text);
        let bold = text.lines().filter(|line| line.contains(". **") && line.starts_with(|c: char| c.is_ascii_digit())).count();
        assert_eq!(found.len(), bold);
        let ids: std::collections::BTreeSet<_> = found.iter().map(|scenario| &scenario.id).collect();
        assert_eq!(ids.len(), found.len(), "an id is used twice");
        assert!(found.iter().all(|s| matches!(s.tier.as_str(), "p" | "n" | "r")), "an unknown tier");
    }

    #[test]
    fn each_scenario_stands_as_its_tests_do() {
        let suite = suite(&[("one", &["APP-01", "APP-02"]), ("two", &["APP-02"]), ("real", &["FUL-01"])]);
        let outcomes = [outcome("one", TestVerdict::Passed), outcome("two", TestVerdict::TimedOut)];
        let coverage = Coverage::new(&scenarios(LIST), &suite, &outcomes);
        let proofs: Vec<_> = coverage.scenarios.iter().map(|row| row.proof).collect();
        assert_eq!(proofs, [Proof::Passed, Proof::Failed, Proof::NoTest, Proof::NotSelected]);
        assert!(coverage.unknown.is_empty());
    }

    #[test]
    fn a_skipped_or_unfinished_test_proves_nothing() {
        for verdict in [TestVerdict::Skipped, TestVerdict::Running, TestVerdict::NotRun] {
            let suite = suite(&[("one", &["APP-01"]), ("two", &["APP-01"])]);
            let coverage = Coverage::new(&scenarios(LIST), &suite, &[outcome("one", TestVerdict::Passed), outcome("two", verdict)]);
            assert_eq!(coverage.scenarios[0].proof, Proof::Open, "{verdict:?}");
        }
    }

    #[test]
    fn an_unknown_id_is_reported_with_its_test() {
        let coverage = Coverage::new(&scenarios(LIST), &suite(&[("app_77_x", &["APP-77"])]), &[]);
        assert_eq!(coverage.unknown, [UnknownId { id: "APP-77".into(), test: "app_77_x".into() }]);
        assert!(coverage.markdown().contains("**Unknown id APP-77** in the name of `app_77_x`"));
    }
}
