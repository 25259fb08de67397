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
    tests
        .iter()
        .map(|(name, ids)| {
            (
                (*name).to_owned(),
                ids.iter().map(|id| (*id).to_owned()).collect(),
            )
        })
        .collect()
}

fn outcome(name: &str, verdict: TestVerdict) -> TestOutcome {
    TestOutcome {
        verdict,
        ..TestOutcome::new(name, &[])
    }
}

#[test]
fn only_list_items_with_id_and_mark_are_scenarios() {
    let found: Vec<_> = scenarios(LIST)
        .into_iter()
        .map(|s| (s.id, s.source, s.tier))
        .collect();
    let expected = [
        ("APP-01", "U", "p"),
        ("APP-02", "U-", "p"),
        ("FIX-14b", "N", "n"),
        ("FUL-01", "U", "r"),
    ];
    assert_eq!(
        found,
        expected.map(|(id, source, tier)| (id.to_owned(), source.to_owned(), tier.to_owned()))
    );
}

#[test]
fn the_real_list_is_understood_whole() {
    let text = include_str!("../../../../docs/contract/acceptance.md");
    let found = scenarios(text);
    let bold = text
        .lines()
        .filter(|line| line.contains(". **") && line.starts_with(|c: char| c.is_ascii_digit()))
        .count();
    assert_eq!(found.len(), bold);
    let ids: std::collections::BTreeSet<_> = found.iter().map(|scenario| &scenario.id).collect();
    assert_eq!(ids.len(), found.len(), "an id is used twice");
    assert!(
        found
            .iter()
            .all(|s| matches!(s.tier.as_str(), "p" | "n" | "r")),
        "an unknown tier"
    );
}

#[test]
fn each_scenario_stands_as_its_tests_do() {
    let suite = suite(&[
        ("one", &["APP-01", "APP-02"]),
        ("two", &["APP-02"]),
        ("real", &["FUL-01"]),
    ]);
    let outcomes = [
        outcome("one", TestVerdict::Passed),
        outcome("two", TestVerdict::TimedOut),
    ];
    let coverage = Coverage::new(&scenarios(LIST), &suite, &outcomes);
    let proofs: Vec<_> = coverage.scenarios.iter().map(|row| row.proof).collect();
    assert_eq!(
        proofs,
        [
            Proof::Passed,
            Proof::Failed,
            Proof::NoTest,
            Proof::NotSelected
        ]
    );
    assert!(coverage.unknown.is_empty());
}

#[test]
fn a_skipped_or_unfinished_test_proves_nothing() {
    for verdict in [
        TestVerdict::Skipped,
        TestVerdict::Running,
        TestVerdict::NotRun,
    ] {
        let suite = suite(&[("one", &["APP-01"]), ("two", &["APP-01"])]);
        let coverage = Coverage::new(
            &scenarios(LIST),
            &suite,
            &[outcome("one", TestVerdict::Passed), outcome("two", verdict)],
        );
        assert_eq!(coverage.scenarios[0].proof, Proof::Open, "{verdict:?}");
    }
}

#[test]
fn an_unknown_id_is_reported_with_its_test() {
    let coverage = Coverage::new(&scenarios(LIST), &suite(&[("app_77_x", &["APP-77"])]), &[]);
    assert_eq!(
        coverage.unknown,
        [UnknownId {
            id: "APP-77".into(),
            test: "app_77_x".into()
        }]
    );
    assert!(
        coverage
            .markdown()
            .contains("**Unknown id APP-77** in the name of `app_77_x`")
    );
}
