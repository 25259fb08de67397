//! The same at any moment of a run.

use std::{process::Command, time::Duration};

use stigmer_e2e::{
    harness::{Broken, story},
    supervise::{Identity, Signal},
};

use super::{Victim, nothing_left};

/// How many runs are killed.
const POINTS: usize = 200;
/// About how long the run takes that is killed.
const RUN: Duration = Duration::from_millis(2500);

/// Whom to kill.
#[derive(Clone, Copy, Debug)]
enum Target {
    Pipeline,
    Warden,
    Both,
}

#[test]
fn iso_05_killed_at_any_moment_a_run_leaves_nothing_and_hurts_nobody() {
    story(async |t| {
        let mut bystander = Command::new("sleep").arg("3600").spawn()?;
        let foreign =
            Identity::of(bystander.id()).ok_or_else(|| Broken("no bystander".to_owned()))?;
        let mut random = t.random();
        for point in 1..=POINTS {
            let target = [Target::Pipeline, Target::Warden, Target::Both][random.below(3)];
            let after = RUN.mul_f64(random.unit());
            t.step(format!("{point}: kill {target:?} after {after:?}"));
            let victim = Victim::start(&t, &["iso_06"]).await?;
            // Not a wait for something: the moment is what is drawn.
            tokio::time::sleep(after).await;
            if !matches!(target, Target::Pipeline) {
                victim.warden.signal(Signal::KILL);
            }
            if !matches!(target, Target::Warden) {
                victim.pipeline.signal(Signal::KILL);
            }
            nothing_left(&t, &victim.pending).await?;
            victim.pending.ended(victim.warden).await?;
        }
        assert!(foreign.is_alive(), "a foreign process was hurt");
        t.fact("killed runs", POINTS);
        bystander.kill()?;
        bystander.wait()?;
        Ok(())
    });
}
