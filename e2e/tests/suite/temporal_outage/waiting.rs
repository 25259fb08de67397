//! Outages that last: Temporal is gone, or hangs with its port open, for 20 s.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_api::Resource as _;
use stigmer_e2e::harness::{
    Call, Failure, Fault, Gate, Response,
    budget::{RECON, START},
    story,
};

use super::{Subjects, degraded, processes, reconnected, recovers, swept};
use crate::{given, then};

/// How a runner learns that Temporal sees its workers.
const ASKED: &str = "temporal.api.workflowservice.v1.WorkflowService/DescribeTaskQueue";

/// How long Temporal is away.
const OUTAGE: Duration = Duration::from_secs(20);

/// The same while a runner starts. Longer than workers take to be seen.
const SHORT: Duration = Duration::from_secs(12);

#[test]
fn tmp_06_an_execution_survives_an_outage_and_makes_every_other_call_once() {
    story(async |t| {
        let env = t
            .environment()
            .over_link()
            .without_agent_runner()
            .start()
            .await?;
        let gate = Gate::closed();
        let answer = || Response::json(json!({"ok": true}));
        env.hub().expect(Call::get("/before"), answer());
        // The call that is under way when Temporal goes cannot tell that it lives, so Temporal has it
        // made anew: at least once. The others are made exactly once.
        env.hub()
            .always(Call::get("/during"), answer().behind(&gate));
        env.hub().expect(Call::get("/after"), answer());
        let tasks = ["before", "during", "after"]
            .map(|name| given::http_get(name, &env.hub().url(&format!("/{name}"))));
        let workflow = env.api().create(given::workflow("steps", &tasks)).await?;
        let execution = given::workflow_execution("go", workflow.id());
        let id = env.api().create(execution).await?.id().to_owned();
        let made = async || given::at_least(2, env.hub().received().len());
        t.eventually("the second call is under way", RECON, made)
            .await?;
        let before = processes(&env)?;
        t.step("Temporal is down for 20 s");
        let gone = Instant::now();
        env.link().cut();
        degraded(&env).await?;
        gate.open();
        tokio::time::sleep(OUTAGE.saturating_sub(gone.elapsed())).await;
        t.step("Temporal is back");
        env.link().restore()?;
        reconnected(&env).await?;
        let finished = then::workflow::completed(&env, &id, RECON).await?;
        assert_eq!(
            then::workflow::states(&finished.execution),
            [
                ("before", "completed"),
                ("during", "completed"),
                ("after", "completed")
            ]
        );
        let received = env.hub().received();
        let times = |path: &str| received.iter().filter(|call| call.path == path).count();
        assert_eq!(times("/before"), 1);
        assert!(
            (1..=2).contains(&times("/during")),
            "{} calls",
            times("/during")
        );
        assert_eq!(times("/after"), 1);
        assert_eq!(processes(&env)?, before);
        swept(&env).await?;
        Ok(())
    });
}

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
            hung.elapsed() < OUTAGE,
            "detected after {:?}",
            hung.elapsed()
        );
        tokio::time::sleep(OUTAGE.saturating_sub(hung.elapsed())).await;
        t.step("it goes on");
        env.link().thaw();
        recovers(&env, &subjects, "after it hung", Instant::now()).await?;
        assert_eq!(processes(&env)?, before);
        Ok(())
    });
}

#[test]
fn tmp_10_a_runner_whose_start_an_outage_interrupts_is_ready_when_it_is_over() {
    story(async |t| {
        let env = t.environment().over_call_link().start().await?;
        let subjects = Subjects::create(&env).await?;
        let runner = env.workflow_runner();
        runner.kill9().await?;
        t.step("the runner starts again, and Temporal goes before it sees the workers");
        let (gate, calls) = (Gate::closed(), env.link().calls());
        calls.fault(Fault::of(ASKED, 1..=1).held(&gate));
        let before = calls.count(ASKED);
        let outage = async {
            let asked = async || given::at_least(before + 1, calls.count(ASKED));
            t.eventually("the runner asks who polls", START, asked)
                .await?;
            env.link().cut();
            gate.open();
            tokio::time::sleep(SHORT).await;
            t.step("Temporal is back");
            env.link().restore()?;
            Ok::<_, Failure>(Instant::now())
        };
        let again = async { Ok(runner.start_again().await?) };
        let (_, back) = tokio::try_join!(again, outage)?;
        reconnected(&env).await?;
        recovers(&env, &subjects, "after the outage", back).await?;
        Ok(())
    });
}
