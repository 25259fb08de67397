//! The table of fixtures: what each of them came through, and in which tests. Made from what the tests
//! wrote down as they did it.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde::Serialize;
use stigmer_e2e::harness::{Stage, TestRecord};
use stigmer_e2e_plan::read_json;

use super::{RowTest, TestOutcome, TestVerdict};

const STAGES: [Stage; 3] = [Stage::Synthesise, Stage::Apply, Stage::Run];

/// What a test did with fixtures, by their ids.
type Uses = BTreeMap<String, BTreeSet<Stage>>;

/// One fixture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FixtureRow {
    /// Its id in the manifest.
    pub id: String,
    /// The tests that took it through each stage.
    pub stages: BTreeMap<Stage, Vec<RowTest>>,
}

/// All fixtures, in the order of the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Fixtures(Vec<FixtureRow>);

impl Fixtures {
    /// The table for the fixtures `ids`, and the tests below `tests` as they stand.
    pub fn read(ids: &[String], outcomes: &[TestOutcome], tests: &Utf8Path) -> Self {
        let uses = |outcome: &TestOutcome| {
            let file = tests.join(outcome.function()).join("test.json");
            // A test that did not begin has no record, and did nothing.
            read_json::<TestRecord>(&file)
                .map(|record| record.fixtures)
                .unwrap_or_default()
        };
        let used = outcomes.iter().map(|outcome| (outcome, uses(outcome)));
        Self::new(ids, &used.collect::<Vec<_>>())
    }

    fn new(ids: &[String], used: &[(&TestOutcome, Uses)]) -> Self {
        let tests = |id: &String, stage: Stage| {
            let takes = used
                .iter()
                .filter(|(_, uses)| uses.get(id).is_some_and(|stages| stages.contains(&stage)));
            let tests = takes.map(|(outcome, _)| RowTest {
                name: outcome.name.clone(),
                verdict: Some(outcome.verdict),
            });
            (stage, tests.collect())
        };
        let row = |id: &String| FixtureRow {
            id: id.clone(),
            stages: STAGES.map(|stage| tests(id, stage)).into(),
        };
        Self(ids.iter().map(row).collect())
    }

    /// The fixtures that some stage is not proven for, as `06 (run)`.
    pub fn unproven(&self) -> Vec<String> {
        let of_row = |row: &FixtureRow| {
            let open = STAGES.into_iter().filter(|stage| !row.proves(*stage));
            let open = open.map(name).collect::<Vec<_>>();
            (!open.is_empty()).then(|| format!("{} ({})", row.id, open.join(", ")))
        };
        self.0.iter().filter_map(of_row).collect()
    }

    /// The table for people.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "\n# Fixtures and what they came through\n\n{} fixtures, {} of them through everything in this run.\n\n",
            self.0.len(),
            self.0.len() - self.unproven().len()
        );
        text.push_str("| Fixture | Synthesise | Apply | Run |\n|---|---|---|---|\n");
        for row in &self.0 {
            let cells = STAGES.map(|stage| row.cell(stage));
            text.push_str(&format!("| {} | {} |\n", row.id, cells.join(" | ")));
        }
        text
    }
}

impl FixtureRow {
    fn tests(&self, stage: Stage) -> &[RowTest] {
        self.stages.get(&stage).map_or(&[], Vec::as_slice)
    }

    fn proves(&self, stage: Stage) -> bool {
        let passed = |test: &RowTest| test.verdict == Some(TestVerdict::Passed);
        self.tests(stage).iter().any(passed)
    }

    fn cell(&self, stage: Stage) -> String {
        let passed = self.tests(stage).iter();
        let passed = passed.filter(|test| test.verdict == Some(TestVerdict::Passed));
        match (passed.count(), self.tests(stage).len()) {
            (_, 0) => "–".to_owned(),
            (passed, all) if passed == all => format!("passed ({all})"),
            (passed, all) => format!("**{passed} of {all} passed**"),
        }
    }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Synthesise => "synthesise",
        Stage::Apply => "apply",
        Stage::Run => "run",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, verdict: TestVerdict) -> TestOutcome {
        TestOutcome {
            verdict,
            ..TestOutcome::new(name, &[])
        }
    }

    /// A fixture and the stages that it came through.
    type Use<'a> = (&'a str, &'a [Stage]);

    fn table(used: &[(&TestOutcome, &[Use<'_>])]) -> Fixtures {
        let ids = ["01", "07", "WAIT"].map(str::to_owned);
        let uses = |stages: &[Use<'_>]| {
            let of = |(id, stages): &Use<'_>| ((*id).to_owned(), stages.iter().copied().collect());
            stages.iter().map(of).collect::<Uses>()
        };
        let used = used
            .iter()
            .map(|(outcome, stages)| (*outcome, uses(stages)));
        Fixtures::new(&ids, &used.collect::<Vec<_>>())
    }

    #[test]
    fn a_stage_is_proven_by_one_test_that_passed() {
        let all = outcome("a", TestVerdict::Passed);
        let run = outcome("b", TestVerdict::Failed);
        let table = table(&[
            (&all, &[("01", &STAGES), ("07", &STAGES[..2])]),
            (&run, &[("07", &STAGES[2..]), ("01", &STAGES[2..])]),
        ]);
        assert_eq!(
            table.unproven(),
            ["07 (run)", "WAIT (synthesise, apply, run)"]
        );
        let text = table.markdown();
        assert!(
            text.contains("| 01 | passed (1) | passed (1) | **1 of 2 passed** |"),
            "{text}"
        );
        assert!(text.contains("| WAIT | – | – | – |"), "{text}");
        assert!(text.contains("3 fixtures, 1 of them through everything"));
    }

    #[test]
    fn a_test_without_a_record_did_nothing() {
        let passed = outcome("m::a", TestVerdict::Passed);
        let nowhere = Utf8Path::new("/nowhere");
        let table = Fixtures::read(&["01".to_owned()], &[passed], nowhere);
        assert_eq!(table.unproven(), ["01 (synthesise, apply, run)"]);
    }
}
