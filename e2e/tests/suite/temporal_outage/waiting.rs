//! Outages that last: Temporal is gone, or hangs with its port open, for 20 s.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_api::Resource as _;
use stigmer_e2e::harness::{Call, Gate, Response, budget::RECON, story};

use super::{Subjects, degraded, processes, reconnected, recovers, swept};
use crate::{given, then};

/// How long Temporal is away.
const OUTAGE: Duration = Duration::from_secs(20);

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
