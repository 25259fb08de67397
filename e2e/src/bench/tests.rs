use camino::Utf8Path;
use stigmer_e2e::{
    baseline::Baseline,
    harness::{Anchor, Benchmark},
};

use super::{
    baseline_of,
    measured::Measurement,
    past::Past,
    row::Row,
    table,
    verdict::{Judged, Measure as _, Verdict, judge},
};

/// Thirty rounds around `ms`, beside thirty around `anchor`.
fn row(ms: f64, anchor: f64) -> Row {
    let around = |middle: f64| (0..30).map(move |n| middle * (0.95 + f64::from(n % 11) / 100.0));
    let benchmark = Benchmark {
        name: "workflow run".into(),
        what: "from here to there".into(),
        ms: around(ms).collect(),
        anchor: Anchor {
            what: "a bare one".into(),
            ms: around(anchor).collect(),
        },
    };
    Row::of(&Measurement::from(benchmark)).expect("it has rounds")
}

fn verdict(row: Row, baseline: Option<f64>, last: Option<f64>) -> Verdict {
    judge(row, baseline, last, 0.25).verdict
}

#[test]
fn a_slow_machine_is_no_regression_and_a_slow_stack_is_one() {
    assert_eq!(verdict(row(60.0, 30.0), None, None), Verdict::New);
    let machine = row(600.0, 300.0);
    assert_eq!(verdict(machine, Some(2.0), Some(2.0)), Verdict::Steady);
    let stack = row(90.0, 30.0);
    let against_baseline = verdict(stack.clone(), Some(2.0), Some(3.0));
    assert_eq!(against_baseline, Verdict::SlowerThanBaseline);
    let against_past = verdict(stack, Some(3.0), Some(2.0));
    assert_eq!(against_past, Verdict::SlowerThanLastRuns);
    assert_eq!(verdict(row(30.0, 30.0), Some(2.0), None), Verdict::Improved);
}

#[test]
fn what_may_be_chance_is_no_regression() {
    let mut wild = row(60.0, 30.0);
    let beside = wild.beside.as_mut().expect("it has an anchor");
    (beside.ratio, beside.interval) = (3.0, [2.4, 3.5]);
    assert_eq!(verdict(wild, Some(2.0), None), Verdict::Steady);
}

#[test]
fn without_an_anchor_milliseconds_are_compared_and_stay_out_of_the_baseline() {
    let suite = Measurement {
        name: "suite".into(),
        what: "all of it".into(),
        ms: vec![140_000.0],
        anchor: None,
    };
    let row = Row::of(&suite).expect("it has a round");
    let judged = judge(row, None, Some(100_000.0), 0.25);
    assert_eq!(judged.verdict, Verdict::SlowerThanLastRuns);
    assert_eq!(baseline_of("r", &[judged]).value("suite"), None);
}

#[test]
fn a_run_is_compared_with_the_last_twenty_and_not_with_fewer_than_five() {
    let folder = tempfile::tempdir().expect("a folder");
    let results = Utf8Path::from_path(folder.path())
        .expect("UTF-8")
        .join("run");
    let run = |ratio: f64| -> Judged { judge(row(30.0 * ratio, 30.0), None, None, 0.25) };
    let before = |id: usize| Past::beside(&results, &id.to_string());
    let remember = |id: usize, ratio: f64| {
        let value = run(ratio).row.value();
        let mut past = before(id);
        past.append([("workflow run".to_owned(), value)]).unwrap();
    };
    (0..4).for_each(|id| remember(id, 9.0));
    assert_eq!(before(4).median("workflow run"), None);
    remember(4, 9.0);
    let median = |id: usize| before(id).median("workflow run").expect("five");
    assert!((median(5) - 9.0).abs() < 0.01);
    (5..25).for_each(|id| remember(id, 2.0));
    assert!((median(25) - 2.0).abs() < 0.01);
    // Judged again, the sixth run is compared with the five before it.
    assert!((median(5) - 9.0).abs() < 0.01);
}

#[test]
fn a_baseline_is_read_back_and_another_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let file = folder.join("baseline.json");
    assert_eq!(Baseline::read(&file).unwrap().value("workflow run"), None);
    let judged = judge(row(60.0, 30.0), None, None, 0.25);
    baseline_of("r", &[judged]).write(&file).unwrap();
    assert_eq!(
        Baseline::read(&file).unwrap().value("workflow run"),
        Some(2.0)
    );
    std::fs::write(&file, "[]").unwrap();
    let error = format!("{:#}", Baseline::read(&file).unwrap_err());
    assert!(error.contains("is no baseline"), "{error}");
}

#[test]
fn machines_get_a_line_for_each_number() {
    let judged = judge(row(60.0, 30.0), Some(2.0), None, 0.25);
    assert_eq!(
        table::metrics(&judged)[3],
        "METRIC workflow_run.ratio 2.000 times"
    );
    assert!(table::text(&[judged]).contains("workflow run"));
}
