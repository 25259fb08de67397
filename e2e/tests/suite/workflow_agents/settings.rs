//! Fixture 19: each call with its own model, temperature, and time limit.

use serde_json::Value;
use stigmer_e2e::harness::{CheckError, Environment, Reply, Test, story};

use crate::{fixture::Deployed, given};

/// Task, agent, the beginning of its message, model, temperature.
const CALLS: [(&str, &str, &str, &str, f64); 6] = [
    (
        "categorizeTicket",
        "ticket-categorizer",
        "Categorize",
        "claude-3-haiku",
        0.1,
    ),
    (
        "architectureReview",
        "architect",
        "Review",
        "claude-3-5-sonnet",
        0.5,
    ),
    (
        "generateCopy",
        "copywriter",
        "Write one line",
        "claude-3-5-sonnet",
        0.9,
    ),
    (
        "extractData",
        "data-extractor",
        "Extract",
        "claude-3-haiku",
        0.0,
    ),
    (
        "generateCode",
        "code-generator",
        "Write a function",
        "claude-3-5-sonnet",
        0.3,
    ),
    (
        "customerSupport",
        "support-agent",
        "Answer",
        "claude-3-haiku",
        0.4,
    ),
];

/// The fixture, and the agents that it calls.
async fn applied(t: &Test) -> Result<(Environment, Deployed), CheckError> {
    let env = t.environment().start().await?;
    for (_, agent, ..) in CALLS {
        let agent = given::agent(agent, "Answer in one short sentence.");
        env.api().create(agent).await?;
    }
    let deployed = Deployed::apply(t, &env, "19").await?;
    Ok((env, deployed))
}

#[test]
fn wca_13_the_model_is_asked_with_the_settings_of_each_call() {
    story(async |t| {
        let (env, deployed) = applied(&t).await?;
        env.llm().answer_any(Reply::text("As you wish."));
        deployed.completes(&[]).await?;
        let requests = env.llm().requests();
        assert_eq!(requests.len(), CALLS.len());
        for (request, (task, _, message, model, temperature)) in requests.iter().zip(CALLS) {
            assert!(request.last_user_message().starts_with(message), "{task}");
            assert_eq!(request.model(), model, "{task}");
            // A number that is not sent is null here.
            let sent = &request.body["temperature"];
            assert_ne!(sent, &Value::Null, "{task}: no temperature was sent");
            let sent = sent.as_f64().unwrap_or(f64::NAN);
            assert!((sent - temperature).abs() < 1e-6, "{task}: {sent} was sent");
        }
        Ok(())
    });
}

mod nightly {
    //! Waiting for a time limit of 15 seconds.

    use std::time::Duration;

    use stigmer_e2e::harness::{Expectation, Reply, budget::WF, story};

    use super::{CALLS, applied};
    use crate::then;

    #[test]
    fn wca_14_a_call_that_takes_too_long_fails_at_its_limit() {
        story(async |t| {
            let (env, deployed) = applied(&t).await?;
            let late = Reply::nothing()
                .then_pause(Duration::from_secs(20))
                .then("Sorry for being late.");
            let llm = env.llm();
            llm.expect(Expectation::message_containing("where is my invoice", late));
            llm.answer_any(Reply::text("As you wish."));
            let id = deployed.start(&[]).await?;
            let says = ["customerSupport"];
            let finished = then::workflow::failed(&env, &id, WF, &says).await?;
            let execution = finished.execution;
            let others = CALLS[..5].iter().map(|(task, ..)| *task);
            assert_eq!(
                then::workflow::names_of(&execution, "completed"),
                others.collect::<Vec<_>>()
            );
            let task = then::workflow::task(&execution, "customerSupport")?;
            let begun: jiff::Timestamp = task.started_at.parse()?;
            let ended: jiff::Timestamp = task.completed_at.parse()?;
            let took = ended.duration_since(begun).as_secs_f64();
            t.fact("customer_support_s", took);
            assert!((12.0..=18.0).contains(&took), "it took {took} s");
            Ok(())
        });
    }
}
