//! The stack is stopped while Temporal is away.

use stigmer_e2e::{
    ensure,
    harness::{Broken, Environment, budget::STOP, story},
};

use super::{Subjects, degraded};

/// Stops every part at the same time: within STOP, without a kill, with exit code 0. A panic in a log
/// fails the test at its teardown.
async fn stops(env: &Environment) -> Result<(), stigmer_e2e::harness::Failure> {
    let stops = env.parts().map(async |part| {
        let begin = std::time::Instant::now();
        let stopped = part.stop().await?;
        let name = part.component().name();
        let what = format!("{name} stopped while it had no Temporal");
        env.test().within(STOP, &what, begin.elapsed())?;
        let stopped = stopped.ok_or_else(|| Broken(format!("{name} had ended by itself")))?;
        ensure!(
            !stopped.forced && stopped.status.is_some_and(|status| status.success()),
            "{name} ended with {:?}, killed: {}",
            stopped.status,
            stopped.forced
        );
        Ok(())
    });
    futures_util::future::try_join_all(stops).await.map(drop)
}

#[test]
fn tmp_15_a_stack_that_lost_temporal_stops_in_time() {
    story(async |t| {
        let env = t.environment().over_link().start().await?;
        let subjects = Subjects::create(&env).await?;
        subjects.complete(&env, "before the outage").await?;
        env.link().cut();
        degraded(&env).await?;
        stops(&env).await
    });
}

#[test]
fn tmp_15_a_stack_that_never_had_temporal_stops_in_time() {
    story(async |t| {
        let env = t.environment().with_temporal_absent().start().await?;
        degraded(&env).await?;
        stops(&env).await
    });
}
