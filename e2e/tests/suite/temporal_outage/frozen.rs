//! Temporal hangs: its port is open, and nothing is answered.

use std::time::{Duration, Instant};

use stigmer_e2e::harness::story;

use super::{Subjects, degraded, processes, recovers};

/// How long it hangs.
const FREEZE: Duration = Duration::from_secs(20);

#[test]
fn tmp_07_a_temporal_that_hangs_is_detected_and_the_stack_recovers() {
    story(async |t| {
        let env = t.environment().over_link().start().await?;
        let subjects = Subjects::create(&env).await?;
        subjects.complete(&env, "before it hangs").await?;
        let before = processes(&env)?;
        t.step("Temporal hangs for 20 s");
        let hung = Instant::now();
        env.link().freeze();
        degraded(&env).await?;
        assert!(
            hung.elapsed() < FREEZE,
            "detected after {:?}",
            hung.elapsed()
        );
        tokio::time::sleep(FREEZE.saturating_sub(hung.elapsed())).await;
        t.step("it goes on");
        env.link().thaw();
        recovers(&env, &subjects, "after it hung", Instant::now()).await?;
        assert_eq!(processes(&env)?, before);
        Ok(())
    });
}
