//! A run that is stopped half-way has valid files.

use std::time::{Duration, Instant};

use camino::Utf8Path;
use quick_junit::Report;
use stigmer_e2e::{
    harness::{Broken, Failure, Probe, Test, Verdict, budget::Budget, story},
    session::Session,
    supervise::{Identity, Signal},
};

use crate::pipeline::{Ended, Inner, Pending};

/// Quick, and a test that takes ten seconds: whatever the order, one of them is going on soon.
const FILTERS: [&str; 2] = ["smk_07", "err_04"];

const SOON: Budget = Budget {
    name: "SOON",
    limit: Duration::from_secs(20),
};

/// How a run is aborted.
enum Aborted {
    /// Ctrl-C on the command.
    ByCtrlC,
    /// `kill -9` of the process that carries it out.
    Pipeline,
}

/// Starts an inner run, waits until its long test is going on and its short one is over, and aborts it.
async fn abort(t: &Test, how: Aborted) -> Result<Ended, Failure> {
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
                // A process is started a moment before its story is.
                (2, 1) if begun_stories(&pending.results) == 2 => Probe::Done(()),
                (2, 2) => Probe::Hopeless("both have ended".to_owned()),
                (started, ended) => Probe::NotYet(format!("{started} started, {ended} ended")),
            }
        },
    )
    .await?;
    match how {
        Aborted::ByCtrlC => running.signal(Signal::INT),
        Aborted::Pipeline => {
            let killed = pending
                .pipeline()
                .is_some_and(|pipeline| pipeline.signal(Signal::KILL));
            assert!(killed, "the pipeline was gone before");
        }
    }
    Ok(pending.ended(running).await?)
}

/// How many tests have written down that they began.
fn begun_stories(results: &Utf8Path) -> usize {
    let Ok(folders) = results.join("tests").read_dir_utf8() else {
        return 0;
    };
    folders
        .flatten()
        .filter(|folder| folder.path().join("test.json").exists())
        .count()
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
    let started = run
        .events()?
        .into_iter()
        .filter(|event| event["event"] == "test-started")
        .filter_map(|event| Some(event["name"].as_str()?.to_owned()));
    let cut_off = started
        .filter(|name| !ended.iter().any(|(ended, _)| ended == name))
        .collect::<Vec<_>>();
    assert_eq!(cut_off.len(), 1, "{cut_off:?}");
    let record = run.record(&cut_off[0])?;
    assert_eq!(record.name, cut_off[0]);
    assert_eq!(record.verdict, Verdict::Running);
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
        let run = abort(&t, Aborted::ByCtrlC).await?;
        run.output.exited_with(130)?;
        check_files(&run)?;
        assert_eq!(run.json("run.json")?["verdict"], "interrupted");
        assert_eq!(run.json("run.json")?["exit_code"], 130);
        assert_eq!(run.leftovers()?, []);
        Ok(())
    });
}

#[test]
fn log_09_a_run_that_was_killed_has_valid_files_and_says_so() {
    story(async |t| {
        let run = abort(&t, Aborted::Pipeline).await?;
        run.output.exited_with(1)?;
        check_files(&run)?;
        assert_eq!(run.json("run.json")?["verdict"], "broken");
        assert_eq!(run.leftovers()?, []);
        Ok(())
    });
}

#[test]
fn log_09_a_second_signal_kills_everything_at_once_and_is_the_cause_on_record() {
    /// Without a second signal, tests have seconds to end.
    const AT_ONCE: Duration = Duration::from_secs(2);
    story(async |t| {
        // Two signals of one kind are one if the first was not taken yet; two kinds are always two.
        let (running, pending) = Inner::of(&t, &["err_04"])?.spawn()?;
        going_on(&t, &pending).await?;
        let start = Instant::now();
        running.signal(Signal::INT);
        running.signal(Signal::TERM);
        let run = pending.ended(running).await?;
        let took = start.elapsed();
        run.output
            .exited_with(130)?
            .says("once more kills everything at once")?
            .says("killed")?;
        assert!(took < AT_ONCE, "it took {took:?}");
        let record = run.json("run.json")?;
        assert_eq!(record["verdict"], "interrupted");
        assert_eq!(record["exit_code"], 130);
        assert_eq!(
            record["cause"],
            "a second signal: everything was killed at once"
        );
        Report::deserialize_from_str(&run.text("junit.xml")?)?;
        assert_eq!(run.leftovers()?, []);
        Ok(())
    });
}

#[test]
fn log_09_a_run_whose_temporal_is_killed_ends_and_its_verdict_names_it() {
    story(async |t| {
        let (running, pending) = Inner::of(&t, &["err_04"])?.spawn()?;
        going_on(&t, &pending).await?;
        let session = Session::of(&pending.results.join("session.json"))
            .map_err(|error| Broken(format!("{error:#}")))?;
        let temporal = session
            .services
            .iter()
            .find(|service| service.name == "temporal")
            .and_then(|service| Identity::of(service.pid))
            .ok_or_else(|| Broken("the run has no Temporal".to_owned()))?;
        t.step("kill -9 its Temporal");
        assert!(temporal.signal(Signal::KILL), "it was gone before");
        let run = pending.ended(running).await?;
        run.output
            .exited_with(98)?
            .says("temporal died (signal: 9")?;
        let record = run.json("run.json")?;
        assert_eq!(record["verdict"], "service-failed");
        let cause = record["cause"].as_str().unwrap_or_default();
        assert!(cause.starts_with("temporal died"), "{cause:?}");
        assert_eq!(run.leftovers()?, []);
        Ok(())
    });
}

#[test]
fn log_09_a_suite_beyond_its_limit_is_ended_and_red_and_names_the_test_that_went_on() {
    story(async |t| {
        let run = Inner::of(&t, &["err_04"])?
            .with(|plan| plan.suite_limit_seconds = 2)
            .run()
            .await?;
        run.output.exited_with(100)?;
        let record = run.json("run.json")?;
        assert_eq!(record["verdict"], "failed");
        let cause = record["cause"].as_str().unwrap_or_default();
        assert!(
            cause.starts_with("the tests did not end within 2s; still going on: err_04_"),
            "{cause:?}"
        );
        assert_eq!(record["counts"]["aborted"], 1, "{record}");
        assert_eq!(run.leftovers()?, []);
        Ok(())
    });
}

/// Waits until a test of the run has begun.
async fn going_on(t: &Test, run: &Pending) -> Result<(), Failure> {
    let events = run.results.join("events.jsonl");
    t.eventually("a test is going on", SOON, async || {
        let text = std::fs::read_to_string(&events).unwrap_or_default();
        match text.contains("\"event\":\"test-started\"") {
            true => Probe::Done(()),
            false => Probe::NotYet(format!("{} events", text.lines().count())),
        }
    })
    .await?;
    Ok(())
}
