//! The stream of agent executions (STR-09): messages that grow.

use std::time::Instant;

use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, AgentMessage, ExecutionPhase, MessageType},
};
use stigmer_e2e::{
    ensure,
    harness::{
        Broken, CheckError, Environment, Expectation, Gate, Reply, Snapshot, Test, answer_of,
        budget::AGENT, story,
    },
};

use super::watching::{AT_ONCE, compare, next, phases_of, subscribed};
use crate::{
    fixture::Deployed,
    given::execution,
    then::{self, Execution, check_phases},
};

/// An environment with fixture 01 applied, and the id of its first agent.
async fn with_agent(t: &Test) -> Result<(Environment, String), CheckError> {
    let env = t.environment().without_workflow_runner().start().await?;
    Deployed::apply(t, &env, "01").await?;
    let agent: Agent = env.api().by_slug("code-reviewer").await?;
    Ok((env, agent.id().to_owned()))
}

/// Starts an execution through the API, as the CLI does.
async fn start(env: &Environment, agent_id: &str, message: &str) -> Result<String, CheckError> {
    let name = format!("execution-{}", message.to_lowercase().replace(' ', "-"));
    let execution = env
        .api()
        .create(execution(&name, agent_id, message))
        .await?;
    Ok(execution.id().to_owned())
}

/// A whole conversation: one question, one answer.
const CONVERSATION: [MessageType; 2] = [MessageType::MessageHuman, MessageType::MessageAi];

/// Messages of one execution as they are at one time.
fn messages(execution: &AgentExecution) -> &[AgentMessage] {
    let status = execution.status.as_ref();
    status.map_or(&[], |status| &status.messages)
}

fn types(execution: &AgentExecution) -> Vec<MessageType> {
    messages(execution)
        .iter()
        .map(AgentMessage::r#type)
        .collect()
}

/// From snapshot to snapshot, messages only grow, from nothing to one question and one answer: none
/// goes away, comes twice, changes its kind, or loses text.
fn check_messages_grow(snapshots: &[Snapshot<AgentExecution>]) -> Result<(), Broken> {
    for snapshot in snapshots {
        ensure!(
            CONVERSATION.starts_with(&types(&snapshot.resource)),
            "no beginning of a question and an answer: {:?}",
            messages(&snapshot.resource)
        );
    }
    let last = snapshots.last().map(|last| types(&last.resource));
    ensure!(
        last.as_deref() == Some(&CONVERSATION),
        "the last message of the stream holds {last:?}"
    );
    for pair in snapshots.windows(2) {
        let (before, after) = (messages(&pair[0].resource), messages(&pair[1].resource));
        ensure!(
            after.len() >= before.len(),
            "messages went away: {before:?}, then {after:?}"
        );
        for (index, (old, new)) in before.iter().zip(after).enumerate() {
            let grew = new.r#type == old.r#type && new.content.starts_with(&old.content);
            ensure!(grew, "message {index} was {old:?} and became {new:?}");
        }
    }
    Ok(())
}

#[test]
fn str_09_a_subscription_before_the_end_sees_every_phase_and_closes_by_itself() {
    story(async |t| {
        let (env, agent) = with_agent(&t).await?;
        let gate = Gate::closed();
        let reply = Reply::nothing()
            .then("One, ")
            .then_wait(&gate)
            .then("two, ")
            .then("three.");
        env.llm()
            .expect(Expectation::message_containing("Count to three", reply));
        let id = start(&env, &agent, "Count to three").await?;
        t.step("subscribe while the model has not answered");
        let (mut watch, first) = subscribed::<AgentExecution>(&env, &id).await?;
        assert!(first.resource.phase() < ExecutionPhase::ExecutionCompleted);
        t.step("let the model answer once the first half was seen");
        let mut snapshots = vec![first];
        let deadline = Instant::now() + AGENT.limit;
        while !snapshots
            .last()
            .is_some_and(|s| format!("{:?}", s.resource.status).contains("One, "))
        {
            assert!(Instant::now() < deadline, "the first half did not come");
            snapshots.push(next(&mut watch, AGENT).await?);
        }
        gate.open();
        snapshots.extend(t.until_closed(watch, AGENT).await?);
        t.step("look at the whole stream");
        let phases = phases_of(&snapshots);
        check_phases(&phases)?;
        assert_eq!(
            phases[phases.len() - 2..],
            [
                ExecutionPhase::ExecutionInProgress,
                ExecutionPhase::ExecutionCompleted
            ]
        );
        check_messages_grow(&snapshots)?;
        let last = &snapshots[snapshots.len() - 1].resource;
        assert_eq!(answer_of(last), Some("One, two, three."));
        let stored: AgentExecution = env.api().get(&id).await?;
        assert_eq!(
            stored.status, last.status,
            "the record is another one than the last message"
        );
        Ok(())
    });
}

#[test]
fn str_09_a_subscription_after_the_end_gets_one_snapshot_and_closes_at_once() {
    story(async |t| {
        let (env, agent) = with_agent(&t).await?;
        env.llm().answer_any(Reply::text("Already over."));
        let id = start(&env, &agent, "Be quick").await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        check_messages_grow(&finished.snapshots)?;
        t.step("subscribe again");
        let watch = env.api().subscribe::<AgentExecution>(&id).await?;
        let snapshots = t.until_closed(watch, AT_ONCE).await?;
        assert_eq!(snapshots.len(), 1, "{snapshots:?}");
        assert_eq!(snapshots[0].resource, finished.execution);
        Ok(())
    });
}

#[test]
fn str_09_the_stream_agrees_with_polling_and_is_faster() {
    story(async |t| {
        let (env, agent) = with_agent(&t).await?;
        env.llm().answer_any(Reply::text("The same for both."));
        compare(&env, AGENT, check_messages_grow, async |round| {
            start(&env, &agent, &format!("Round {round}")).await
        })
        .await?;
        Ok(())
    });
}
