use stigmer_e2e_plan::Shard;

use super::*;

fn part(shard: Option<(usize, usize)>, whole: &[&str], ends: &[(&str, TestVerdict)]) -> Part {
    let outcomes: Vec<_> = ends
        .iter()
        .map(|(name, verdict)| TestOutcome {
            verdict: *verdict,
            ..TestOutcome::new(name, &[])
        })
        .collect();
    let red = outcomes.iter().any(TestOutcome::is_red);
    Part {
        folder: format!("/r/{}", shard.map_or(0, |(index, _)| index)).into(),
        run: Run {
            run_id: "r".to_owned(),
            exit_code: Some(if red { 100 } else { 0 }),
            cause: None,
            selection: Selection {
                shard: shard.map(|(index, of)| Shard { index, of }),
                ..Selection::default()
            },
            shard_of: whole.iter().map(|test| (*test).to_owned()).collect(),
            order: ends.iter().map(|(name, _)| (*name).to_owned()).collect(),
            git: None,
            forced_kills: 0,
            leftovers: Some(0),
        },
        raw: Value::Null,
        events: Vec::new(),
        outcomes,
    }
}

const PASSED: TestVerdict = TestVerdict::Passed;
const WHOLE: [&str; 3] = ["a", "b", "c"];

#[test]
fn all_shards_together_are_the_whole() {
    let parts = [
        part(Some((1, 2)), &WHOLE, &[("a", PASSED), ("c", PASSED)]),
        part(Some((2, 2)), &WHOLE, &[("b", TestVerdict::Failed)]),
    ];
    let joined = join(&parts);
    assert_eq!(joined.problems, [""; 0]);
    assert_eq!(joined.order, ["a", "c", "b"]);
    assert_eq!(
        joined.outcomes.iter().filter(|test| test.is_red()).count(),
        1
    );
}

#[test]
fn a_missing_shard_is_a_problem_and_its_tests_did_not_run() {
    let joined = join(&[part(Some((2, 2)), &WHOLE, &[("b", PASSED)])]);
    assert_eq!(
        joined.problems,
        ["shard 1/2 is missing", "tests that never ended: 2"]
    );
    assert_eq!(joined.selected.len(), 3);
}

#[test]
fn shards_that_were_cut_differently_do_not_fit() {
    let other = part(Some((2, 2)), &["a", "b"], &[("b", PASSED)]);
    let joined = join(&[
        part(Some((1, 2)), &WHOLE, &[("a", PASSED), ("c", PASSED)]),
        other,
    ]);
    assert!(
        joined.problems[0].contains("another whole"),
        "{:?}",
        joined.problems
    );
    let overlapping = [
        part(Some((1, 2)), &WHOLE, &[("a", PASSED), ("b", PASSED)]),
        part(Some((2, 2)), &WHOLE, &[("b", PASSED)]),
    ];
    let joined = join(&overlapping);
    assert!(
        joined.problems[0].contains("--times"),
        "{:?}",
        joined.problems
    );
}

#[test]
fn a_test_that_ran_twice_is_told_and_its_worst_end_counts() {
    let joined = join(&[
        part(None, &[], &[("m::a", PASSED)]),
        part(None, &[], &[("m::a", TestVerdict::Failed)]),
    ]);
    assert_eq!(joined.outcomes.len(), 1);
    assert!(joined.outcomes[0].is_red());
    assert_eq!(
        joined.twice,
        ["a ran 2 times: passed in /r/0, failed in /r/0"]
    );
}

#[test]
fn a_part_that_did_not_end_or_failed_without_a_red_test_is_a_problem() {
    let mut killed = part(None, &[], &[("a", PASSED)]);
    killed.run.exit_code = None;
    let mut left = part(None, &[], &[("b", PASSED)]);
    (left.run.exit_code, left.run.cause) = (Some(102), Some("2 processes".to_owned()));
    let problems = join(&[killed, left]).problems;
    assert_eq!(
        problems,
        ["/r/0 did not end", "/r/0 ended with 102: 2 processes"]
    );
}

#[test]
fn different_commits_are_no_whole() {
    let at = |revision: &str| {
        let mut part = part(None, &[], &[(revision, PASSED)]);
        part.run.git = Some(Git {
            revision: revision.to_owned(),
        });
        part
    };
    assert!(join(&[at("x"), at("y")]).problems[0].contains("x, y"));
    assert_eq!(join(&[at("x"), at("x")]).problems, [""; 0]);
}
