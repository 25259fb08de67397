//! Several runs of one workflow at the same time.

use std::time::{Duration, Instant};

use stigmer_api::Resource;
use stigmer_e2e::harness::{Call, CheckError, Environment, Response, budget::WF, story};

use super::workflows::{PULL, pull_request, with_fixture_07};
use crate::{fixture::Deployed, then};

/// Starts the workflow `runs` times at once and follows all of them to a good end.
pub async fn complete_at_once(
    env: &Environment,
    deployed: &Deployed,
    runs: usize,
) -> Result<Vec<String>, CheckError> {
    let run = async || {
        let id = deployed.start(&[]).await?;
        then::workflow::completed(env, &id, WF).await
    };
    let finished = futures_util::future::try_join_all((0..runs).map(|_| run())).await?;
    let ids = finished.iter().map(|f| f.execution.id().to_owned());
    let names = finished.iter().map(|f| f.execution.name().to_owned());
    assert_distinct(names.collect());
    let ids = ids.collect::<Vec<_>>();
    assert_distinct(ids.clone());
    Ok(ids)
}

fn assert_distinct(texts: Vec<String>) {
    let mut distinct = texts.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), texts.len(), "not all different: {texts:?}");
}

#[test]
fn run_10_two_runs_at_the_same_time_do_not_wait_for_each_other() {
    story(async |t| {
        const SLOW: Duration = Duration::from_secs(2);
        let (env, deployed) = with_fixture_07(&t).await?;
        let answer = Response::json(pull_request()).after(SLOW);
        env.hub().expect_times(3, Call::get(PULL), answer);
        t.step("one run, for comparison");
        let start = Instant::now();
        complete_at_once(&env, &deployed, 1).await?;
        let one = start.elapsed();
        assert_eq!(env.hub().most_open_calls(), 1);
        t.step("two runs at once");
        let start = Instant::now();
        let ids = complete_at_once(&env, &deployed, 2).await?;
        let two = start.elapsed();
        t.fact("one_run_ms", u64::try_from(one.as_millis())?);
        t.fact("two_runs_ms", u64::try_from(two.as_millis())?);
        assert_eq!(ids.len(), 2);
        assert_eq!(env.hub().most_open_calls(), 2, "the calls did not overlap");
        assert!(two < 2 * one, "one run took {one:?}, two took {two:?}");
        Ok(())
    });
}
