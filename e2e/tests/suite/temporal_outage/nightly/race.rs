//! Stack and Temporal start at the same time, or nearly.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use stigmer_e2e::{
    ensure,
    harness::{CheckError, Test, story},
};

use super::super::{Subjects, processes, reconnected, recovers};

/// How much later than the server Temporal comes, in seconds; the longest first, so that none of
/// these is waited for alone at the end.
const DELAYS: [u64; 6] = [20, 8, 4, 2, 1, 0];

/// How often each is tried.
const TIMES: usize = 5;

/// How many at a time: most of them only wait.
const AT_ONCE: usize = 6;

async fn starts(t: &Test, delay: Duration) -> Result<(), CheckError> {
    let env = t.environment().with_temporal_absent().start().await?;
    let server = env.server().pid();
    tokio::time::sleep(delay).await;
    let back = Instant::now();
    env.link().restore()?;
    tokio::try_join!(
        env.workflow_runner().until_ready(),
        env.agent_runner().until_ready()
    )?;
    reconnected(&env).await?;
    let subjects = Subjects::create(&env).await?;
    recovers(&env, &subjects, "the first question", back).await?;
    ensure!(
        processes(&env)?[0] == server,
        "the server was restarted after {delay:?}"
    );
    for part in env.parts() {
        part.stop().await?;
    }
    Ok(())
}

#[test]
fn tmp_10_thirty_starts_before_temporal_are_thirty_good_starts() {
    story(async |t| {
        let delays = DELAYS.iter().flat_map(|delay| [*delay; TIMES]);
        let starts = delays.map(async |delay| {
            starts(&t, Duration::from_secs(delay)).await?;
            t.step(format!("a good start {delay} s before Temporal"));
            Ok::<_, CheckError>(())
        });
        let good = stream::iter(starts)
            .buffer_unordered(AT_ONCE)
            .try_fold(0, async |good, ()| Ok(good + 1))
            .await?;
        assert_eq!(good, DELAYS.len() * TIMES);
        t.fact("good starts", good);
        Ok(())
    });
}
