//! `junit.xml`, for whatever reads test results.

mod rounds;

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{TestOutcome, TestVerdict};

pub use rounds::of_rounds;

/// The report as XML. Tests that have not ended are in it, as what they are.
pub fn xml(
    run_id: &str,
    seed: u64,
    outcomes: &[TestOutcome],
) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new("stigmer-e2e");
    suite.add_property(("run_id", run_id));
    suite.add_property(("seed", seed.to_string().as_str()));
    suite.add_test_cases(outcomes.iter().map(test_case));
    suite.set_time(Duration::from_millis(
        outcomes.iter().filter_map(|outcome| outcome.ms).sum(),
    ));
    let mut report = Report::new("stigmer-e2e");
    report.add_test_suite(suite);
    report.to_string()
}

fn test_case(outcome: &TestOutcome) -> TestCase {
    let mut case = TestCase::new(outcome.name.as_str(), status(outcome));
    case.set_classname("stigmer-e2e");
    if let Some(ms) = outcome.ms {
        case.set_time(Duration::from_millis(ms));
    }
    if !outcome.ids.is_empty() {
        case.add_property(("scenarios", outcome.ids.join(" ").as_str()));
    }
    if let Some(printed) = &outcome.printed {
        case.set_system_out(printed.as_str());
    }
    case
}

fn status(outcome: &TestOutcome) -> TestCaseStatus {
    let message = outcome.message.as_deref().unwrap_or_default();
    let non_success = |kind, ty: &str, message: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_type(ty)
            .set_message(message.lines().next().unwrap_or_default())
            .set_description(message);
        status
    };
    match outcome.verdict {
        TestVerdict::Passed => TestCaseStatus::success(),
        TestVerdict::Failed => non_success(NonSuccessKind::Failure, "failed", message),
        TestVerdict::TimedOut => non_success(NonSuccessKind::Failure, "timed-out", message),
        TestVerdict::Running => non_success(
            NonSuccessKind::Error,
            "aborted",
            "it had not ended when this file was written",
        ),
        TestVerdict::Skipped | TestVerdict::NotRun => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(if outcome.verdict == TestVerdict::NotRun {
                "it had not begun when this file was written"
            } else {
                message
            });
            status
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, verdict: TestVerdict, message: Option<&str>) -> TestOutcome {
        TestOutcome {
            verdict,
            ms: Some(1500),
            message: message.map(str::to_owned),
            ..TestOutcome::new(name, &["APP-01".into()])
        }
    }

    #[test]
    fn the_file_reads_back_with_every_test_whatever_its_state() {
        let outcomes = [
            outcome("a", TestVerdict::Passed, None),
            outcome(
                "b",
                TestVerdict::Failed,
                Some("first line\nsecond <line> \u{1b}[31m"),
            ),
            outcome("c", TestVerdict::TimedOut, Some("time is up")),
            outcome("d", TestVerdict::Skipped, Some("no model")),
            outcome("e", TestVerdict::Running, None),
            outcome("f", TestVerdict::NotRun, None),
        ];
        let xml = xml("r1", 42, &outcomes).unwrap();
        let report = Report::deserialize_from_str(&xml).unwrap();
        assert_eq!((report.tests, report.failures, report.errors), (6, 2, 1));
        let skipped = |case: &&TestCase| matches!(case.status, TestCaseStatus::Skipped { .. });
        assert_eq!(
            report.test_suites[0]
                .test_cases
                .iter()
                .filter(skipped)
                .count(),
            2,
            "skipped and not begun"
        );
        let names: Vec<_> = report.test_suites[0]
            .test_cases
            .iter()
            .map(|case| case.name.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d", "e", "f"]);
        assert!(xml.contains("message=\"first line\""), "{xml}");
    }
}
