//! Starting and stopping: private environments, and a person's server.

use std::time::Instant;

use futures_util::future::try_join_all;
use stigmer_e2e::harness::{Benchmark, Daemon, budget::START, story};

use super::bare;

#[test]
fn ext_03_environments_start_and_stop() {
    story(async |t| {
        const ROUNDS: usize = 15;
        let mut start = Benchmark::new(
            "environment start",
            "from the namespace of a private environment until server and both runners poll every queue",
            "pings through it: bare workflows with one activity each, through every queue at once",
        );
        let mut stop = Benchmark::new(
            "environment stop",
            "from SIGTERM for server and both runners to the last exit",
            bare::PROGRAM,
        );
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            let env = t.environment().start().await?;
            let (started, begin) = (begin.elapsed(), Instant::now());
            env.ping(START.limit).await?;
            start.round(started, begin.elapsed());
            let begin = Instant::now();
            try_join_all(env.parts().map(|part| part.stop())).await?;
            stop.round(begin.elapsed(), bare::program(&t).await?);
        }
        t.benchmark(start);
        t.benchmark(stop);
        Ok(())
    });
}

#[test]
fn ext_03_a_server_starts_from_nothing_starts_again_and_stops() {
    story(async |t| {
        const ROUNDS: usize = 7;
        let mut cold = Benchmark::new(
            "cold start",
            "`stigmer server start` in an empty HOME, Temporal included, until every queue answered",
            bare::TEMPORAL,
        );
        let mut warm = Benchmark::new(
            "warm start",
            "`stigmer server start` with everything that an earlier start left",
            bare::TEMPORAL,
        );
        let mut stop = Benchmark::new("stop", "`stigmer server stop`", bare::PROGRAM);
        for round in 0..ROUNDS {
            let temporal = bare::temporal(&t, round).await?;
            let daemon = Daemon::with_own_temporal(&t).await?;
            for start in [&mut cold, &mut warm] {
                let begin = Instant::now();
                daemon.start().await?;
                start.round(begin.elapsed(), temporal);
                let begin = Instant::now();
                daemon.stop().await?;
                stop.round(begin.elapsed(), bare::program(&t).await?);
            }
        }
        for benchmark in [cold, warm, stop] {
            t.benchmark(benchmark);
        }
        Ok(())
    });
}
