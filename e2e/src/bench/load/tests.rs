use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use stigmer_e2e::load::{LevelRecord, LoadRecord, ProcessUse, Timed};
use stigmer_e2e_plan::{ExitCode, LoadPlan, Mix, Output, write_json};

use super::{Flags, load, table};

/// A level whose executions take `ms` beside bare workflows of 100 ms, with a server of `mib`.
fn level(at_once: usize, ms: u64, mib: f64) -> LevelRecord {
    let timed = |ms: u64| {
        let times: Vec<_> = (0..100)
            .map(|n| Duration::from_millis(ms + n % 7))
            .collect();
        let whole = Duration::from_millis(ms * 100 / at_once as u64);
        Timed::of("a thing", &times, whole)
    };
    LevelRecord {
        at_once,
        stack: timed(ms),
        temporal: timed(100),
        model: Some(timed(10)),
        processes: vec![ProcessUse {
            name: "stigmer-server".to_owned(),
            first_mib: 50.0,
            peak_mib: mib,
            last_mib: mib,
            first_files: 30,
            peak_files: 40,
            last_files: 30,
        }],
    }
}

fn record(levels: Vec<LevelRecord>) -> LoadRecord {
    LoadRecord::of(Mix::Agents, &LoadPlan::default(), levels)
}

/// The results folder of a run `id` in `folder` that measured `record`.
fn results(folder: &Utf8Path, id: &str, record: &LoadRecord) -> Utf8PathBuf {
    let results = folder.join(id);
    let run = json!({"run_id": id, "started_at": "2026-01-02T03:04:05Z", "host": {"cores": 2}});
    write_json(&results.join("run.json"), &run).expect("written");
    let test = results.join("tests/ext_02_agents");
    write_json(&LoadRecord::file(&test), record).expect("written");
    results
}

fn judged(results: Utf8PathBuf, save_baseline: bool) -> anyhow::Result<ExitCode> {
    let folder = results.parent().expect("it is in a folder").to_owned();
    let flags = Flags {
        results,
        baseline: folder.join("baseline.json"),
        save_baseline,
        tolerance: 50.0,
        page: Some(folder.join("page.md")),
    };
    load(&flags, Output::new(true), true)
}

#[test]
fn a_limit_is_broken_by_longer_times_and_by_more_memory_and_not_by_a_slow_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let run = |id: &str, ms, mib| results(folder, id, &record(vec![level(10, ms, mib)]));
    let code = |results, save| judged(results, save).expect("judged");
    assert_eq!(code(run("1", 300, 60.0), true), ExitCode::Success);
    assert_eq!(code(run("2", 320, 70.0), false), ExitCode::Success);
    assert_eq!(code(run("3", 600, 60.0), false), ExitCode::Regression);
    assert_eq!(code(run("4", 300, 99.0), false), ExitCode::Regression);
    let page = std::fs::read_to_string(folder.join("page.md")).expect("a page");
    assert!(
        page.contains("| load agents 10 stigmer-server memory | 99.00 MiB |"),
        "{page}"
    );
    assert!(folder.join("4/load.json").exists());
}

#[test]
fn a_run_without_a_load_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
    write_json(&folder.join("1/run.json"), &json!({"run_id": "1"})).expect("written");
    let error = judged(folder.join("1"), false).expect_err("there is none");
    assert_eq!(stigmer_e2e_plan::exit_code_of(&error), ExitCode::NothingRan);
}

#[test]
fn people_are_told_where_the_knee_is_and_machines_get_every_number() {
    let record = record(vec![level(10, 300, 60.0), level(50, 1900, 61.0)]);
    let text = table::text(&[record], &[], Utf8Path::new("b.json"));
    let wanted = [
        "agents: the knee is at 10: with 50 at once the throughput is -21 %, and the p99 takes 6.2 times as long",
        "METRIC load.agents.10.throughput 33.333 1/s",
        "METRIC load.agents.50.model.p99 ",
        "METRIC load.agents.50.stigmer-server.memory 61.0 MiB",
        "METRIC load.agents.knee 10 executions",
        "no limit is broken (0 of 0 numbers are in b.json)",
    ];
    for line in wanted {
        assert!(text.contains(line), "{line:?} is missing in\n{text}");
    }
}
