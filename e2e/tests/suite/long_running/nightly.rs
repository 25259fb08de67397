//! Minutes: a thousand runs, and a wait over restarts.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_api::{
    Resource,
    temporal_names::serverless_workflow_id,
    workflow_execution::{WorkflowExecution, WorkflowTaskStatus},
};
use stigmer_e2e::{
    ensure,
    harness::{Call, Probe, Response, budget::WF, story},
};

use super::{
    growth::{Bounds, Growth},
    work::{ANSWER, Work},
};
use crate::{given, then};

/// How many runs follow one another; every other one is of a workflow.
const RUNS: usize = 1000;
/// How many come before it is looked for growth: pools, caches, and allocators fill.
const WARM: usize = 300;
/// How many lie between two looks.
const WINDOW: usize = 50;
/// What a run may leave in memory. Measured: 0.3 and 0.4 KiB in the runners, 2.5 KiB in the server while
/// its store grows by 1.6 KiB: the connection that writes keeps up to 64 MB of the store's pages.
const PER_RUN: Bounds = Bounds {
    resident_kib: 4.0,
    handles: 0.01,
};
/// How long the workflow waits.
const WAIT: Duration = Duration::from_secs(15);
/// How much later than it begins it may be seen to wait.
const SEEN: Duration = Duration::from_secs(5);

#[test]
fn ext_05_a_thousand_runs_leave_their_records_and_nothing_else() {
    story(async |t| {
        let env = t.environment().answering(ANSWER).start().await?;
        let mut work = Work::prepare(&env).await?;
        let begin = Instant::now();
        t.step(format!("{WARM} runs to warm up"));
        for _ in 0..WARM / 2 {
            work.pair().await?;
        }
        work.left_what_it_should()?;
        let mut growth = Growth::watch(&env).await?;
        growth.look(WARM as f64).await?;
        t.step(format!(
            "{} more, looked at after every {WINDOW}",
            RUNS - WARM
        ));
        while work.pairs * 2 < RUNS {
            for _ in 0..WINDOW / 2 {
                work.pair().await?;
            }
            work.left_what_it_should()?;
            growth.look((work.pairs * 2) as f64).await?;
        }
        t.fact(
            "runs per second",
            (work.pairs * 2) as f64 / begin.elapsed().as_secs_f64(),
        );
        t.step("nothing grew");
        growth.check(&t, "run", PER_RUN)?;
        t.step("the store grew by its records alone, by the same amount for each");
        let bytes = growth.bytes_stored();
        t.fact("bytes stored per run", json!(bytes));
        let steady = bytes.is_some_and(|(early, late)| early > 0.0 && late < 1.5 * early);
        ensure!(steady, "bytes per run, early and late: {bytes:?}");
        let damage = env.store().integrity()?;
        ensure!(damage.is_empty(), "{damage:?}");
        Ok(())
    });
}

#[test]
fn ext_05_a_workflow_that_waits_goes_on_after_the_server_and_its_runner_were_restarted() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        for path in ["/before", "/after"] {
            env.hub()
                .expect(Call::get(path), Response::json(json!({"ok": true})));
        }
        let tasks = [
            given::http_get("callBefore", &env.hub().url("/before")),
            given::task("pause", "WAIT", json!({"seconds": WAIT.as_secs()})),
            given::http_get("callAfter", &env.hub().url("/after")),
        ];
        let workflow = env.api().apply(given::workflow("patient", &tasks)).await?;
        let run = given::workflow_execution("patient", workflow.id());
        let id = env.api().create(run).await?.id().to_owned();
        t.eventually("it waits", WF, async || {
            let execution = env.api().get::<WorkflowExecution>(&id).await;
            match execution.map(|it| then::workflow::task(&it, "pause").map(|task| task.status())) {
                Ok(Ok(WorkflowTaskStatus::WorkflowTaskInProgress)) => Probe::Done(()),
                other => Probe::NotYet(format!("{other:?}")),
            }
        })
        .await?;
        let began = Instant::now();
        for part in [env.server(), env.workflow_runner()] {
            t.step(format!(
                "{} crashes and is started again",
                part.component().name()
            ));
            part.kill9().await?;
            part.start_again().await?;
        }
        let restarted = began.elapsed();
        ensure!(
            restarted < WAIT,
            "restarting took {restarted:?}, the wait was over by then"
        );
        t.step("the wait ends when it would have, and the workflow goes on");
        let finished = then::workflow::completed(&env, &id, WF).await?;
        let waited = began.elapsed();
        t.fact("waited", format!("{waited:.1?}"));
        ensure!(waited + SEEN > WAIT, "it waited {waited:?} only");
        assert_eq!(
            then::workflow::states(&finished.execution),
            [
                ("callBefore", "completed"),
                ("pause", "completed"),
                ("callAfter", "completed")
            ]
        );
        // Each call came once: the hub refuses a second one, which fails the test.
        let history = env.temporal().history(&serverless_workflow_id(&id)).await?;
        let timers = history.matches("\"TimerStartedEventAttributes\"").count();
        ensure!(
            timers == 1,
            "{timers} timers were started, one belongs to one wait"
        );
        Ok(())
    });
}
