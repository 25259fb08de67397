//! However a test ends, nothing of it is left.

use std::{fs, net::TcpStream, time::Duration};

use camino::Utf8PathBuf;
use serde_json::Value;
use stigmer_e2e::{
    harness::{EnvironmentRecord, Failure, Probe, Test, TestRecord, budget::START, story},
    supervise::{Identity, Signal},
};
use stigmer_e2e_plan::read_json;

use crate::pipeline::{Ended, Inner, Pending};

/// One test fails by a panic, one by a time-out, and one does not end by itself.
const PANICS: &str = "specimen_fails_after_a_run";
const TIMES_OUT: &str = "specimen_waits_in_vain";
const GOES_ON: &str = "specimen_goes_on_until_it_is_ended";

/// A run with these tests that has nowhere to put temporary files but an empty folder of its own.
fn run_of(t: &Test, tests: &[&str]) -> Result<(Inner, Utf8PathBuf), Failure> {
    let temporary = t.folder().join("temporary");
    fs::create_dir_all(&temporary)?;
    let inner = Inner::of(t, tests)?
        .with(|plan| plan.jobs = tests.len())
        .env("TMPDIR", temporary.as_str());
    Ok((inner, temporary))
}

fn record(pending: &Pending) -> Option<TestRecord> {
    read_json(
        &pending
            .results
            .join("tests")
            .join(GOES_ON)
            .join("test.json"),
    )
    .ok()
}

/// Waits until the test that does not end has an environment that is up; returns its process.
async fn at_work(t: &Test, pending: &Pending) -> Result<Identity, Failure> {
    let up = async || match record(pending) {
        Some(record) if record.environments.len() == 1 => Probe::Done(()),
        Some(record) => Probe::NotYet(format!("{:?}", record.steps)),
        None => Probe::NotYet("the test has not begun".to_owned()),
    };
    t.eventually("the test has an environment", START, up)
        .await?;
    let begun = fs::read_to_string(pending.results.join("executions.jsonl"))?;
    let process = begun
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|proof| {
            proof["test"]
                .as_str()
                .is_some_and(|it| it.ends_with(GOES_ON))
        })
        .and_then(|proof| u32::try_from(proof["pid"].as_u64()?).ok())
        .and_then(Identity::of);
    Ok(process.expect("a test that goes on has a process"))
}

/// Nothing of `run` is there: no process, no listener, no temporary file.
fn check_nothing_left(run: &Ended, tests: &[&str], temporary: &Utf8PathBuf) -> Result<(), Failure> {
    assert_eq!(run.leftovers()?, []);
    let mut parts = 0;
    for test in tests {
        for EnvironmentRecord { parts: all, .. } in run.record(test)?.environments {
            for part in all {
                let listens = part.address.as_ref().is_some_and(|address| {
                    let address = address.parse().expect("the record has addresses");
                    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
                });
                assert!(!listens, "{part:?} still listens");
                parts += 1;
            }
        }
    }
    assert!(parts >= 2 * tests.len(), "only {parts} parts were started");
    let left = temporary.read_dir_utf8()?.flatten();
    let left = left
        .map(|entry| entry.path().to_owned())
        .collect::<Vec<_>>();
    assert_eq!(left, [""; 0], "temporary files are left");
    Ok(())
}

#[test]
fn iso_05_a_test_that_panics_times_out_or_is_killed_leaves_nothing() {
    story(async |t| {
        let tests = [PANICS, TIMES_OUT, GOES_ON];
        let (inner, temporary) = run_of(&t, &tests)?;
        let (running, pending) = inner.spawn()?;
        let process = at_work(&t, &pending).await?;
        t.step("kill -9 the process of a test");
        assert!(process.signal(Signal::KILL), "it was gone before");
        let run = pending.ended(running).await?;
        run.output.exited_with(100)?;
        assert_eq!(run.last_line(), "0 passed, 3 failed, 0 skipped");
        check_nothing_left(&run, &tests, &temporary)
    });
}

#[test]
fn iso_05_a_run_stopped_by_ctrl_c_takes_the_environment_of_its_test_along() {
    story(async |t| {
        let (inner, temporary) = run_of(&t, &[GOES_ON])?;
        let (running, pending) = inner.spawn()?;
        at_work(&t, &pending).await?;
        t.step("Ctrl-C");
        running.signal(Signal::INT);
        let run = pending.ended(running).await?;
        run.output.exited_with(130)?;
        check_nothing_left(&run, &[GOES_ON], &temporary)
    });
}
