//! Whoever is killed, nothing is left.

use std::time::Duration;

use stigmer_e2e::{
    harness::{Broken, Failure, Probe, RunningCli, Test, budget::Budget, story},
    supervise::{Identity, Signal},
};

use crate::pipeline::{Inner, Pending};

/// What a run takes to notice that it was killed, and to be gone.
pub const GONE: Budget = Budget {
    name: "GONE",
    limit: Duration::from_secs(15),
};

/// An inner run: the warden that was started, and the pipeline that it watches.
pub struct Victim {
    pub warden: RunningCli,
    pub pipeline: Identity,
    pub pending: Pending,
}

impl Victim {
    /// Starts a run of `filters` and waits until its pipeline has begun.
    pub async fn start(t: &Test, filters: &[&str]) -> Result<Self, Failure> {
        let (warden, pending) = Inner::of(t, filters)?.spawn()?;
        let pipeline = t.eventually("the pipeline has begun", GONE, async || {
            pending.pipeline().map_or_else(
                || Probe::NotYet("no run-started event".to_owned()),
                Probe::Done,
            )
        });
        let pipeline = pipeline.await?;
        Ok(Self {
            warden,
            pipeline,
            pending,
        })
    }

    /// Waits until a test of the run has begun.
    pub async fn in_a_test(&self, t: &Test) -> Result<(), Failure> {
        t.eventually("a test is going on", GONE, async || {
            match self.pending.has("test-started") {
                true => Probe::Done(()),
                false => Probe::NotYet("no test-started event".to_owned()),
            }
        })
        .await?;
        Ok(())
    }
}

/// Waits until no process of the run is left.
pub async fn nothing_left(t: &Test, pending: &Pending) -> Result<(), Failure> {
    t.eventually(
        "every process of the run is gone",
        GONE,
        async || match pending.leftovers() {
            Ok(left) if left.is_empty() => Probe::Done(()),
            Ok(left) => Probe::NotYet(format!("{left:?}")),
            Err(error) => Probe::Hopeless(error.to_string()),
        },
    )
    .await?;
    Ok(())
}

#[test]
fn iso_05_a_pipeline_that_is_killed_leaves_nothing_and_its_results_say_so() {
    story(async |t| {
        let victim = Victim::start(&t, &["err_04"]).await?;
        victim.in_a_test(&t).await?;
        t.step("kill -9 the pipeline");
        assert!(victim.pipeline.signal(Signal::KILL), "it was gone before");
        let run = victim.pending.ended(victim.warden).await?;
        // What came after the pipeline is the warden's work: it returned when nothing was left.
        assert_eq!(run.leftovers()?, []);
        run.output.exited_with(1)?;
        let record = run.json("run.json")?;
        assert_eq!(record["verdict"], "broken");
        let cause = record["cause"].as_str().unwrap_or_default();
        assert!(
            cause.starts_with("the pipeline was killed by signal 9"),
            "{cause:?}"
        );
        Ok(())
    });
}

#[test]
fn iso_05_a_pipeline_whose_warden_is_killed_ends_by_itself_and_leaves_nothing() {
    story(async |t| {
        let victim = Victim::start(&t, &["err_04"]).await?;
        victim.in_a_test(&t).await?;
        t.step("kill -9 the warden");
        victim.warden.signal(Signal::KILL);
        nothing_left(&t, &victim.pending).await?;
        let run = victim.pending.ended(victim.warden).await?;
        assert_eq!(run.json("run.json")?["verdict"], "interrupted");
        Ok(())
    });
}

#[test]
fn iso_05_pipeline_and_warden_killed_at_once_leave_nothing() {
    story(async |t| {
        let victim = Victim::start(&t, &["err_04"]).await?;
        victim.in_a_test(&t).await?;
        t.step("kill -9 both");
        victim.warden.signal(Signal::KILL);
        assert!(victim.pipeline.signal(Signal::KILL), "it was gone before");
        nothing_left(&t, &victim.pending).await?;
        let run = victim.pending.ended(victim.warden).await?;
        if run.json("run.json")?["verdict"] != "running" {
            return Err(Broken("nobody was left to say how the run ended".to_owned()).into());
        }
        Ok(())
    });
}

mod nightly;
