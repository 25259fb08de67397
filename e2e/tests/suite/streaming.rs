//! Section 7 of the acceptance list, on the stream of agent executions (STR-09).

use std::time::{Duration, Instant};

use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, AgentMessage, ExecutionPhase, MessageType},
};
use stigmer_e2e::{
    ensure,
    harness::{
        Broken, CheckError, Environment, Expectation, Gate, Project, Reply, Snapshot, Test,
        budget::{AGENT, Budget},
        story,
    },
};

use crate::{
    given::execution,
    then::{self, check_phases, phase_of},
};

/// An environment with fixture 01 applied, and the id of its first agent.
async fn with_agent(t: &Test) -> Result<(Environment, String), CheckError> {
    let env = t.environment().start().await?;
    then::applied(
        &env,
        &Project::fixture(t, "01-basic-agent")?
            .cli(&env)
            .args(["apply"])
            .run()
            .await?,
    )
    .await?;
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
        let before = phase_of(&env.api().get(&id).await?);
        let mut watch = env.api().subscribe::<AgentExecution>(&id).await?;
        let first = watch
            .next()
            .await?
            .ok_or_else(|| Broken("the stream ended without a message".into()))?;
        assert!(
            first.at < Duration::from_secs(1),
            "the first message took {:?}",
            first.at
        );
        let seen = phase_of(&first.resource);
        assert!(
            seen >= before && seen < ExecutionPhase::ExecutionCompleted,
            "the first message says {seen:?}, the record said {before:?}"
        );
        t.step("let the model answer once the first half was seen");
        let mut snapshots = vec![first];
        let deadline = Instant::now() + AGENT.limit;
        while !snapshots
            .last()
            .is_some_and(|s| format!("{:?}", s.resource.status).contains("One, "))
        {
            let next = tokio::time::timeout_at(deadline.into(), watch.next()).await?;
            snapshots.push(
                next?.ok_or_else(|| Broken("the stream ended before the first half".into()))?,
            );
        }
        gate.open();
        snapshots.extend(t.until_closed(watch, AGENT).await?);
        t.step("look at the whole stream");
        let mut phases = snapshots
            .iter()
            .map(|s| phase_of(&s.resource))
            .collect::<Vec<_>>();
        phases.dedup();
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
        assert_eq!(
            stigmer_e2e::harness::answer_of(last),
            Some("One, two, three.")
        );
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
        const AT_ONCE: Budget = Budget {
            name: "STR-02",
            limit: Duration::from_secs(1),
        };
        let watch = env.api().subscribe::<AgentExecution>(&id).await?;
        let snapshots = t.until_closed(watch, AT_ONCE).await?;
        assert_eq!(snapshots.len(), 1, "{snapshots:?}");
        assert_eq!(snapshots[0].resource, finished.execution);
        Ok(())
    });
}

/// What one of the two ways of watching saw.
struct Watched {
    phases: Vec<ExecutionPhase>,
    last: AgentExecution,
    ended: Instant,
}

async fn by_stream(env: &Environment, id: &str) -> Result<Watched, CheckError> {
    let watch = env.api().subscribe::<AgentExecution>(id).await?;
    let snapshots = env.test().until_closed(watch, AGENT).await?;
    let ended = Instant::now();
    check_messages_grow(&snapshots)?;
    let mut phases = snapshots
        .iter()
        .map(|s| phase_of(&s.resource))
        .collect::<Vec<_>>();
    phases.dedup();
    let last = snapshots
        .into_iter()
        .next_back()
        .ok_or_else(|| Broken("an empty stream".into()))?;
    Ok(Watched {
        phases,
        last: last.resource,
        ended,
    })
}

async fn by_poll(env: &Environment, id: &str, every: Duration) -> Result<Watched, CheckError> {
    let mut phases = Vec::new();
    let mut clock = tokio::time::interval(every);
    let deadline = Instant::now() + AGENT.limit;
    loop {
        clock.tick().await;
        let execution: AgentExecution = env.api().get(id).await?;
        phases.push(phase_of(&execution));
        if phase_of(&execution) >= ExecutionPhase::ExecutionCompleted {
            phases.dedup();
            check_phases(&phases)?;
            return Ok(Watched {
                phases,
                last: execution,
                ended: Instant::now(),
            });
        }
        ensure!(
            Instant::now() < deadline,
            "polled {id} for {:?}; phases: {phases:?}",
            AGENT.limit
        );
    }
}

#[test]
fn str_09_the_stream_agrees_with_polling_and_is_faster() {
    story(async |t| {
        const ROUNDS: usize = 5;
        let (env, agent) = with_agent(&t).await?;
        env.llm().answer_any(Reply::text("The same for both."));
        let mut latencies = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            let started = Instant::now();
            let id = start(&env, &agent, &format!("Round {round}")).await?;
            let (stream, poll) = tokio::try_join!(
                by_stream(&env, &id),
                by_poll(&env, &id, Duration::from_millis(500))
            )?;
            assert_eq!(
                stream.last, poll.last,
                "stream and poll end with different records"
            );
            let missed = poll
                .phases
                .iter()
                .filter(|phase| !stream.phases.contains(phase))
                .collect::<Vec<_>>();
            assert!(
                missed.is_empty(),
                "the poll saw {missed:?}, the stream did not"
            );
            for (all, watched) in latencies.iter_mut().zip([&stream, &poll]) {
                all.push(watched.ended.duration_since(started));
            }
        }
        let [stream, poll] = latencies.map(median);
        t.fact("stream_median_ms", u64::try_from(stream.as_millis())?);
        t.fact("poll_median_ms", u64::try_from(poll.as_millis())?);
        assert!(
            stream < poll,
            "the stream took {stream:?}, polling {poll:?}"
        );
        Ok(())
    });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
