//! The same at any moment of a run.

use std::{collections::BTreeMap, process::Command, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use stigmer_e2e::{
    harness::{Broken, Failure, Test, story},
    supervise::{Identity, Signal},
};

use super::{Victim, nothing_left};

/// How many runs are killed.
const POINTS: usize = 200;
/// How many of them go on at the same time; they must not hurt each other either.
const AT_ONCE: usize = 4;
/// About how long the run takes that is killed, beside others.
const RUN: Duration = Duration::from_secs(4);

/// Whom to kill.
#[derive(Clone, Copy, Debug)]
enum Target {
    Pipeline,
    Warden,
    Both,
}

/// Kills `target` of a run `after` it began; returns the last thing that had happened in it.
async fn kill(t: &Test, target: Target, after: Duration) -> Result<String, Failure> {
    let victim = Victim::start(t, &["iso_06"]).await?;
    // Not a wait for something: the moment is what is drawn.
    tokio::time::sleep(after).await;
    let moment = victim.pending.last_event();
    if !matches!(target, Target::Pipeline) {
        victim.warden.signal(Signal::KILL);
    }
    if !matches!(target, Target::Warden) {
        victim.pipeline.signal(Signal::KILL);
    }
    nothing_left(t, &victim.pending).await?;
    victim.pending.ended(victim.warden).await?;
    Ok(moment)
}

#[test]
fn iso_05_killed_at_any_moment_a_run_leaves_nothing_and_hurts_nobody() {
    story(async |t| {
        let mut bystander = Command::new("sleep").arg("3600").spawn()?;
        let foreign =
            Identity::of(bystander.id()).ok_or_else(|| Broken("no bystander".to_owned()))?;
        let mut random = t.random();
        let points = (1..=POINTS).map(|point| {
            let target = [Target::Pipeline, Target::Warden, Target::Both][random.below(3)];
            (point, target, RUN.mul_f64(random.unit()))
        });
        let points = points.collect::<Vec<_>>();
        let killings = points.iter().map(async |(point, target, after)| {
            t.step(format!("{point}: kill {target:?} after {after:?}"));
            kill(&t, *target, *after).await
        });
        // What was killed when, by the last event of the run.
        let moments = stream::iter(killings)
            .buffer_unordered(AT_ONCE)
            .try_fold(BTreeMap::<String, usize>::new(), async |mut all, moment| {
                *all.entry(moment).or_default() += 1;
                Ok(all)
            })
            .await?;
        assert!(foreign.is_alive(), "a foreign process was hurt");
        assert_eq!(moments.values().sum::<usize>(), POINTS);
        t.fact("killed runs by their last event", format!("{moments:?}"));
        bystander.kill()?;
        bystander.wait()?;
        Ok(())
    });
}
