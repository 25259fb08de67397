//! An attempt that nobody hears of any more.

use std::time::Duration;

use stigmer_api::{
    Resource as _,
    agent_execution::{AgentExecution, ExecutionPhase},
};
use stigmer_e2e::harness::{
    Expectation, Gate, Probe, Reply,
    budget::{AGENT, RECON},
    story,
};

use super::super::{Subjects, reconnected};
use crate::{given, then::Execution as _};

/// Longer than Temporal waits for a sign of life of an agent's turn.
const OUTAGE: Duration = Duration::from_secs(40);

#[test]
fn tmp_06_an_agent_that_was_given_up_in_an_outage_failed_and_was_not_cancelled() {
    story(async |t| {
        let env = t.environment().over_link().start().await?;
        let subjects = Subjects::create(&env).await?;
        let gate = Gate::closed();
        env.llm().expect(Expectation::message_containing(
            "think long",
            Reply::nothing().then("Well").then_wait(&gate),
        ));
        let execution = given::execution("long", &subjects.agent, "think long");
        let id = env.api().create(execution).await?.id().to_owned();
        let asked = async || given::at_least(1, env.llm().requests().len());
        t.eventually("the model is asked", AGENT, asked).await?;
        t.step("Temporal is away for longer than it waits for signs of life");
        env.link().cut();
        tokio::time::sleep(OUTAGE).await;
        env.link().restore()?;
        reconnected(&env).await?;
        let ended = async || match env.api().get::<AgentExecution>(&id).await {
            Ok(execution) if execution.phase() > ExecutionPhase::ExecutionInProgress => {
                Probe::Done(execution)
            }
            Ok(execution) => Probe::NotYet(format!("{:?}", execution.phase())),
            Err(error) => Probe::NotYet(error.to_string()),
        };
        let execution = t
            .eventually("the execution has ended", RECON, ended)
            .await?;
        gate.open();
        assert_eq!(execution.phase(), ExecutionPhase::ExecutionFailed);
        assert!(!execution.error().is_empty(), "it failed without a cause");
        Ok(())
    });
}
