//! Stack and Temporal start at the same time, or nearly.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use stigmer_e2e::{
    ensure,
    harness::{CheckError, Test, story},
};

use super::super::{Subjects, processes, reconnected, recovers};

/// How much later than the server Temporal comes, in seconds.
const DELAYS: [u64; 6] = [0, 1, 2, 4, 8, 20];

/// How often each is tried.
const TIMES: usize = 5;

async fn starts(t: &Test, delay: Duration) -> Result<(), CheckError> {
    let env = t.environment().with_temporal_absent().start().await?;
    let server = env.server().ready().pid;
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
        for round in 1..=TIMES {
            t.step(format!(
                "round {round}: Temporal comes {DELAYS:?} s after a server"
            ));
            try_join_all(DELAYS.map(|delay| starts(&t, Duration::from_secs(delay)))).await?;
        }
        Ok(())
    });
}
