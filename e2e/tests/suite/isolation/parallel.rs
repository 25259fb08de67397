//! Environments do not wait for each other.

use std::time::{Duration, Instant};

use stigmer_api::Resource;
use stigmer_e2e::harness::{Expectation, Failure, Reply, Test, budget::AGENT, story};

use crate::{
    given::{agent, execution},
    then,
};

/// How long the model thinks: what a run mostly waits for.
const THINKING: Duration = Duration::from_secs(3);

/// An environment of its own in which an agent is asked something; returns what it answered.
async fn whole_story(t: &Test, number: usize) -> Result<String, Failure> {
    let env = t.environment().without_workflow_runner().start().await?;
    let answer = format!("Answer {number}.");
    let reply = Reply::nothing().then_pause(THINKING).then(&answer);
    let question = format!("Question {number}.");
    env.llm()
        .expect(Expectation::message_containing(&question, reply));
    let agent = env
        .api()
        .apply(agent("thinker", "Think before you answer."))
        .await?;
    let execution = env
        .api()
        .create(execution("thought", agent.id(), &question))
        .await?;
    let finished = then::completed(&env, execution.id(), AGENT).await?;
    let answer = stigmer_e2e::harness::answer_of(&finished.execution);
    Ok(answer.unwrap_or_default().to_owned())
}

#[test]
fn iso_04_four_environments_at_once_end_alike_in_less_than_half_of_the_time_of_one_by_one() {
    story(async |t| {
        t.step("one by one");
        let begin = Instant::now();
        let mut serial = Vec::new();
        for number in 0..4 {
            serial.push(whole_story(&t, number).await?);
        }
        let one_by_one = begin.elapsed();
        t.step("all at once");
        let begin = Instant::now();
        let parallel = tokio::try_join!(
            whole_story(&t, 0),
            whole_story(&t, 1),
            whole_story(&t, 2),
            whole_story(&t, 3),
        )?;
        let at_once = begin.elapsed();
        assert_eq!(serial, <[String; 4]>::from(parallel));
        assert_eq!(serial[3], "Answer 3.");
        t.fact("one_by_one_ms", one_by_one.as_millis() as u64);
        t.fact("at_once_ms", at_once.as_millis() as u64);
        assert!(
            at_once < one_by_one / 2,
            "all at once took {at_once:?}, one by one {one_by_one:?}"
        );
        Ok(())
    });
}
