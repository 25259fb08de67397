//! The rounds of `flaky` as one report: each test once, with every failure of it. Readers of JUnit know
//! two marks for that: `flakyFailure` below a test that passed in another round, `rerunFailure` below
//! one that never did.

use std::{collections::BTreeMap, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};
use stigmer_e2e_flakes::{Execution, Round};

/// The report of `rounds` as XML.
///
/// # Errors
///
/// When it cannot be encoded.
pub fn of_rounds(run_id: &str, rounds: &[Round]) -> Result<String, quick_junit::SerializeError> {
    let mut tests: BTreeMap<&str, Vec<(&Round, &Execution)>> = BTreeMap::new();
    for round in rounds {
        for execution in &round.executions {
            let of_test = tests.entry(&execution.name).or_default();
            of_test.push((round, execution));
        }
    }
    let mut suite = TestSuite::new("stigmer-e2e");
    suite.add_property(("run_id", run_id));
    suite.add_property(("rounds", rounds.len().to_string().as_str()));
    suite.add_test_cases(
        tests
            .iter()
            .map(|(name, executions)| case(name, executions)),
    );
    suite.set_time(Duration::from_millis(
        rounds.iter().map(|round| round.ms).sum(),
    ));
    let mut report = Report::new("stigmer-e2e");
    report.add_test_suite(suite);
    report.to_string()
}

fn case(name: &str, executions: &[(&Round, &Execution)]) -> TestCase {
    let failures: Vec<_> = executions.iter().filter(|(_, it)| it.is_red()).collect();
    let mut others = executions.iter().filter(|(_, it)| !it.is_red());
    let passed = executions.iter().any(|(_, it)| it.verdict == "passed");
    let status = match (&failures[..], passed) {
        ([], false) => TestCaseStatus::skipped(),
        (failures, true) => with_reruns(TestCaseStatus::success(), failures),
        ([first, rest @ ..], false) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_type(first.1.verdict.as_str())
                .set_message(told(first));
            with_reruns(status, rest)
        }
    };
    let mut case = TestCase::new(name, status);
    case.set_classname("stigmer-e2e");
    let shown = others.next().or(failures.first().copied());
    if let Some(ms) = shown.and_then(|(_, execution)| execution.ms) {
        case.set_time(Duration::from_millis(ms));
    }
    case
}

fn with_reruns(mut status: TestCaseStatus, failures: &[&(&Round, &Execution)]) -> TestCaseStatus {
    status.add_reruns(failures.iter().map(|failure| {
        let mut rerun = TestRerun::new(NonSuccessKind::Failure);
        rerun
            .set_type(failure.1.verdict.as_str())
            .set_message(told(failure));
        if let Some(ms) = failure.1.ms {
            rerun.set_time(Duration::from_millis(ms));
        }
        rerun
    }));
    status
}

fn told((round, execution): &(&Round, &Execution)) -> String {
    let message = execution.message.as_deref().unwrap_or_default();
    let first = message.lines().next().unwrap_or_default();
    format!("round {}, seed {}: {first}", round.number, round.seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(number: u64, verdicts: &[(&str, &str)]) -> Round {
        let execution = |(name, verdict): &(&str, &str)| Execution {
            name: (*name).to_owned(),
            verdict: (*verdict).to_owned(),
            ms: Some(10),
            message: (*verdict == "failed").then(|| "it broke\nthere".to_owned()),
        };
        Round {
            number,
            seed: 100 + number,
            folder: "/r".into(),
            exit_code: 0,
            cause: None,
            ms: 50,
            executions: verdicts.iter().map(execution).collect(),
            proofs: BTreeMap::new(),
        }
    }

    #[test]
    fn a_test_that_also_passed_is_flaky_and_one_that_never_did_is_red() {
        let rounds = [
            round(
                1,
                &[
                    ("a", "passed"),
                    ("b", "failed"),
                    ("c", "failed"),
                    ("d", "skipped"),
                ],
            ),
            round(
                2,
                &[
                    ("a", "passed"),
                    ("b", "passed"),
                    ("c", "failed"),
                    ("d", "skipped"),
                ],
            ),
        ];
        let xml = of_rounds("r1", &rounds).unwrap();
        let report = Report::deserialize_from_str(&xml).unwrap();
        assert_eq!((report.tests, report.failures), (4, 1), "{xml}");
        let flaky = "<flakyFailure message=\"round 1, seed 101: it broke\" type=\"failed\"";
        let rerun = "<rerunFailure message=\"round 2, seed 102: it broke\" type=\"failed\"";
        for mark in [flaky, rerun, "<skipped"] {
            let count = xml.matches(mark.split(' ').next().unwrap_or(mark)).count();
            assert_eq!(count, 1, "{mark} in {xml}");
        }
    }
}
