use super::*;
use crate::Execution;

fn round(number: u64, verdicts: &[(&str, &str)]) -> Round {
    let red = verdicts.iter().any(|(_, verdict)| *verdict == "failed");
    let executions = verdicts.iter().map(|(name, verdict)| Execution {
        name: (*name).to_owned(),
        verdict: (*verdict).to_owned(),
        ms: Some(100 * number),
        message: None,
    });
    Round {
        number,
        seed: number,
        folder: format!("/r/rounds/{number:03}").into(),
        exit_code: if red { 100 } else { 0 },
        cause: None,
        ms: 1000,
        executions: executions.collect(),
        proofs: verdicts
            .iter()
            .map(|(name, _)| ((*name).to_owned(), 1))
            .collect(),
    }
}

fn report(rule: StopRule, rounds: &[Round]) -> Report {
    let circumstances = Circumstances::default();
    Report::of("r", "now", 1, circumstances, (rule, None), rounds)
}

#[test]
fn thirty_clean_rounds_are_worth_ten_per_cent_and_a_hundred_and_fifty_two() {
    for (count, bound) in [(30, 0.10), (150, 0.02)] {
        let rounds: Vec<_> = (1..=count).map(|n| round(n, &[("a", "passed")])).collect();
        let report = report(StopRule::After { rounds: count }, &rounds);
        assert!(report.tests[0].rate.upper <= bound && report.rounds_red.upper <= bound);
        assert_eq!((report.exit_code, report.proofs), (0, count));
        assert_eq!(report.stop, Stop::Counted);
    }
}

#[test]
fn a_gate_of_two_per_cent_needs_a_hundred_and_forty_nine_clean_rounds() {
    let judged = |count| {
        let rounds: Vec<_> = (1..=count).map(|n| round(n, &[("a", "passed")])).collect();
        let rule = StopRule::After { rounds: count };
        Report::of(
            "r",
            "now",
            1,
            Circumstances::default(),
            (rule, Some(0.02)),
            &rounds,
        )
    };
    assert_eq!(judged(149).exit_code, 0);
    let short = judged(148);
    assert_eq!(short.exit_code, ExitCode::TestsFailed as u8);
    assert!(short.cause.is_some_and(|cause| cause.contains("needs 149")));
}

#[test]
fn one_failure_is_red_and_tells_a_flaky_test_from_a_broken_one() {
    let rounds = [
        round(
            1,
            &[
                ("clean", "passed"),
                ("flaky", "passed"),
                ("broken", "failed"),
            ],
        ),
        round(
            2,
            &[
                ("clean", "passed"),
                ("flaky", "failed"),
                ("broken", "failed"),
            ],
        ),
    ];
    let report = report(StopRule::After { rounds: 2 }, &rounds);
    let kinds: Vec<_> = report
        .tests
        .iter()
        .map(|test| (test.test.as_str(), test.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("broken", Kind::Broken),
            ("flaky", Kind::Flaky),
            ("clean", Kind::Clean)
        ]
    );
    assert_eq!(report.tests[1].failed_in, [2]);
    assert_eq!(report.exit_code, ExitCode::TestsFailed as u8);
    assert_eq!(report.overall, Rate::new(3, 6));
}

#[test]
fn a_result_without_its_proof_is_red_however_green_it_is() {
    let mut cached = round(1, &[("a", "passed")]);
    cached.proofs.clear();
    let report = report(StopRule::After { rounds: 1 }, &[cached]);
    assert_eq!(report.exit_code, ExitCode::TestsFailed as u8);
    assert!(report.cause.is_some_and(|cause| cause.contains("proof")));
}

#[test]
fn skipped_tests_are_no_runs() {
    let rounds = [round(1, &[("a", "skipped")])];
    let report = report(StopRule::After { rounds: 1 }, &rounds);
    assert_eq!(report.tests[0].kind, Kind::Skipped);
    assert_eq!(report.tests[0].rate.upper, 1.0);
    assert_eq!(report.exit_code, ExitCode::NothingRan as u8);
}
