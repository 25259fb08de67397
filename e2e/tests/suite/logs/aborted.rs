//! A run that is stopped half-way has valid files.

use std::time::Duration;

use quick_junit::Report;
use stigmer_e2e::{
    harness::{Broken, Failure, Probe, Test, budget::Budget, story},
    supervise::{Signal, leftovers},
};

use crate::pipeline::{Ended, Inner};

/// Quick, and a test that takes ten seconds: whatever the order, one of them is going on soon.
const FILTERS: [&str; 2] = ["smk_07", "err_04"];

const SOON: Budget = Budget {
    name: "SOON",
    limit: Duration::from_secs(20),
};

/// Starts an inner run, waits until its long test is going on and its short one is over, and sends
/// `signal` to the driver.
async fn abort(t: &Test, signal: Signal) -> Result<Ended, Failure> {
    // A seed that starts the quick test first; the order of names is the driver's own business.
    let (running, pending) = Inner::of(t, &FILTERS)?.with(|plan| plan.jobs = 2).spawn()?;
    let events = pending.results.join("events.jsonl");
    t.eventually(
        "one test has ended and the other goes on",
        SOON,
        async || {
            let text = std::fs::read_to_string(&events).unwrap_or_default();
            let count = |event: &str| {
                text.lines()
                    .filter(|line| line.contains(&format!("\"event\":\"{event}\"")))
                    .count()
            };
            match (count("test-started"), count("test-ended")) {
                (2, 1) => Probe::Done(()),
                (2, 2) => Probe::Hopeless("both have ended".to_owned()),
                (started, ended) => Probe::NotYet(format!("{started} started, {ended} ended")),
            }
        },
    )
    .await?;
    running.signal(signal);
    Ok(pending.ended(running).await?)
}

/// The parts that are valid whoever ended the run: JSON, JUnit, and the test that was over.
fn check_files(run: &Ended) -> Result<(), Failure> {
    let record = run.json("run.json")?;
    assert_eq!(record["counts"]["passed"], 1, "{record}");
    let report = Report::deserialize_from_str(&run.text("junit.xml")?)?;
    assert_eq!(report.tests, 2);
    let ended = run.verdicts()?;
    assert_eq!(
        ended
            .iter()
            .filter(|(_, verdict)| verdict == "passed")
            .count(),
        1,
        "{ended:?}"
    );
    let summary = run.text("summary.txt")?;
    assert!(
        summary
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("1 passed, ")),
        "{summary}"
    );
    Ok(())
}

#[test]
fn log_09_a_run_stopped_by_ctrl_c_has_valid_files_and_leaves_nothing() {
    story(async |t| {
        let run = abort(&t, Signal::INT).await?;
        run.output.exited_with(130)?;
        check_files(&run)?;
        assert_eq!(run.json("run.json")?["verdict"], "interrupted");
        assert_eq!(run.json("run.json")?["exit_code"], 130);
        assert_eq!(run.leftovers()?, []);
        Ok(())
    });
}

#[test]
fn log_09_a_run_that_was_killed_has_valid_files_and_says_that_it_never_ended() {
    story(async |t| {
        let run = abort(&t, Signal::KILL).await?;
        assert_eq!(run.output.signal, Some(9));
        // Nobody is left to stop the test that was going on; what it left is not this promise.
        leftovers::kill(&run.leftovers()?);
        check_files(&run)?;
        let verdict = run.json("run.json")?["verdict"].clone();
        if verdict != "running" {
            return Err(Broken(format!("the killed run calls itself {verdict}")).into());
        }
        Ok(())
    });
}
