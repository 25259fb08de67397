//! An hour: `cargo xtask e2e EXT-05 --tier weekly`; for how long is said by `--idle-minutes`.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_e2e::{ensure, harness::story};
use tokio::time::sleep;

use super::{
    growth::{Bounds, Growth},
    work::{ANSWER, Work},
};

/// For how long nothing is asked of the stack, in minutes, unless the run says otherwise.
const IDLE: u64 = 60;
/// How often it is looked at meanwhile, in all.
const LOOKS: u32 = 60;
/// Runs before it idles.
const PAIRS: usize = 20;
/// Memory that a minute without work may take. In an hour that is a megabyte.
const PER_MINUTE: Bounds = Bounds {
    resident_kib: 17.0,
    handles: 0.01,
};

#[test]
fn ext_05_an_idle_stack_keeps_its_pollers_leaks_nothing_and_then_works() {
    story(async |t| {
        let minutes = t.session().idle_minutes.unwrap_or(IDLE);
        let idle = Duration::from_secs(60 * minutes);
        let env = t.environment().answering(ANSWER).start().await?;
        let mut work = Work::prepare(&env).await?;
        for _ in 0..PAIRS {
            work.pair().await?;
        }
        let rows = env.store().rows()?;
        let workflows = env.temporal().workflows().await?.len();
        t.step(format!("nothing is asked of it for {minutes} minutes"));
        t.fact("idle minutes", minutes);
        // What the runs took goes back first.
        sleep(idle / LOOKS).await;
        let mut growth = Growth::watch(&env).await?;
        let begin = Instant::now();
        for _ in 0..LOOKS {
            sleep(idle / LOOKS).await;
            growth.look(begin.elapsed().as_secs_f64() / 60.0).await?;
        }
        ensure!(
            begin.elapsed() >= idle,
            "it idled for {:?} only",
            begin.elapsed()
        );
        growth.check(&t, "minute", PER_MINUTE)?;
        t.step("it did nothing by itself");
        ensure!(
            env.store().rows()? == rows,
            "a row changed while nothing was asked"
        );
        let now = env.temporal().workflows().await?.len();
        ensure!(now == workflows, "{workflows} workflows, then {now}");
        t.step("the next runs complete at once");
        let begin = Instant::now();
        work.pair().await?;
        t.fact(
            "first runs after it",
            json!(begin.elapsed().as_millis() as u64),
        );
        work.left_what_it_should()?;
        Ok(())
    });
}
