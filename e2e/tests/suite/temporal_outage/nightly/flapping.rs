//! Temporal comes and goes.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use stigmer_e2e::harness::{
    CheckError, Environment, Probe, QUEUES, budget::Budget, budget::RECON, story,
};

use super::super::{Subjects, processes, reconnected, recovers};

/// How often it goes, and how long it is up, and then down, each time.
const TIMES: usize = 10;
const SPELL: Duration = Duration::from_secs(3);

/// Whoever lives polls a queue anew at least this often.
const POLL: Budget = Budget {
    name: "LONG POLL",
    limit: Duration::from_secs(90),
};

/// Who polled each queue after `since`, in seconds since the epoch.
async fn pollers(env: &Environment, since: u64) -> Result<Vec<BTreeSet<String>>, CheckError> {
    let mut all = Vec::new();
    for (queue, kind) in QUEUES {
        let pollers = env.temporal().pollers(queue.default, kind).await?;
        let recent = pollers
            .into_iter()
            .filter(|poller| u64::try_from(poller.last_access).is_ok_and(|last| last > since));
        all.push(recent.map(|poller| poller.identity).collect());
    }
    Ok(all)
}

#[test]
fn tmp_09_after_temporal_came_and_went_one_set_of_workers_polls_and_no_connection_is_left() {
    story(async |t| {
        let env = t.environment().over_link().start().await?;
        let subjects = Subjects::create(&env).await?;
        subjects.complete(&env, "before it flaps").await?;
        let before = processes(&env)?;
        let connections = env.link().connections();
        t.step("down for 3 s, up for 3 s, ten times");
        for _ in 0..TIMES {
            env.link().cut();
            tokio::time::sleep(SPELL).await;
            env.link().restore()?;
            tokio::time::sleep(SPELL).await;
        }
        recovers(&env, &subjects, "after it flapped", Instant::now()).await?;
        reconnected(&env).await?;
        assert_eq!(processes(&env)?, before);
        t.step("as many connections as before");
        let look = async || match env.link().connections() {
            open if open <= connections => Probe::Done(()),
            open => Probe::NotYet(format!("{open} instead of {connections}")),
        };
        t.eventually("superfluous connections are closed", RECON, look)
            .await?;
        t.step("one worker polls each queue");
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 1;
        let look = async || match pollers(&env, since).await {
            Ok(all) if all.iter().all(|pollers| !pollers.is_empty()) => Probe::Done(all),
            Ok(all) => Probe::NotYet(format!("{all:?}")),
            Err(error) => Probe::NotYet(error.to_string()),
        };
        t.eventually("every queue is polled anew", POLL, look)
            .await?;
        // Whoever polled before the flapping ended has had its turn as well by then.
        let rest = POLL.limit.saturating_sub(Duration::from_secs(
            SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() - since,
        ));
        tokio::time::sleep(rest).await;
        for (pollers, (queue, kind)) in pollers(&env, since).await?.iter().zip(QUEUES) {
            assert_eq!(
                pollers.len(),
                1,
                "{} ({kind:?}) is polled by {pollers:?}",
                queue.default
            );
        }
        Ok(())
    });
}
