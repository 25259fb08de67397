//! Two ways to watch an execution, of an agent or of a workflow: by its stream, and by polling.

use std::time::{Duration, Instant};

use stigmer_api::agent_execution::ExecutionPhase;
use stigmer_e2e::{
    ensure,
    harness::{Broken, CheckError, Environment, Snapshot, Watch, budget::Budget},
};

use crate::then::{Execution, check_phases};

/// How long a stream may take to say what it knows already.
pub const AT_ONCE: Budget = Budget {
    name: "AT ONCE",
    limit: Duration::from_secs(1),
};

/// What a stream has to hold besides its phases.
pub type Check<E> = fn(&[Snapshot<E>]) -> Result<(), Broken>;

/// What one of the two ways saw.
pub struct Watched<E> {
    /// Each phase once, in the order it was seen.
    pub phases: Vec<ExecutionPhase>,
    /// The last record.
    pub last: E,
    /// When that was seen.
    pub ended: Instant,
}

/// Each phase of `snapshots` once, in the order it was seen.
pub fn phases_of<E: Execution>(snapshots: &[Snapshot<E>]) -> Vec<ExecutionPhase> {
    let phases = snapshots.iter().map(|snapshot| snapshot.resource.phase());
    let mut phases = phases.collect::<Vec<_>>();
    phases.dedup();
    phases
}

/// The next snapshot of a stream that must not end yet.
pub async fn next<E: Execution>(
    watch: &mut Watch<E>,
    budget: Budget,
) -> Result<Snapshot<E>, CheckError> {
    let next = tokio::time::timeout(budget.limit, watch.next()).await;
    let next = next.map_err(|_| Broken(format!("no message within {:?}", budget.limit)))?;
    next?.ok_or_else(|| Broken("the stream ended too early".to_owned()).into())
}

/// A new subscription and its first snapshot, which comes at once and says what the record says.
pub async fn subscribed<E: Execution>(
    env: &Environment,
    id: &str,
) -> Result<(Watch<E>, Snapshot<E>), CheckError> {
    let before = env.api().get::<E>(id).await?.phase();
    let mut watch = env.api().subscribe::<E>(id).await?;
    let first = next(&mut watch, AT_ONCE).await?;
    ensure!(
        first.at < AT_ONCE.limit,
        "the first message took {:?}",
        first.at
    );
    ensure!(
        first.resource.phase() >= before,
        "the first message says {:?}, the record said {before:?}",
        first.resource.phase()
    );
    Ok((watch, first))
}

/// Follows the stream to its end.
pub async fn by_stream<E: Execution>(
    env: &Environment,
    id: &str,
    budget: Budget,
    check: Check<E>,
) -> Result<Watched<E>, CheckError> {
    let watch = env.api().subscribe::<E>(id).await?;
    let snapshots = env.test().until_closed(watch, budget).await?;
    let ended = Instant::now();
    check(&snapshots)?;
    let phases = phases_of(&snapshots);
    check_phases(&phases)?;
    let last = snapshots.into_iter().next_back();
    let last = last.ok_or_else(|| Broken("an empty stream".to_owned()))?;
    Ok(Watched {
        phases,
        last: last.resource,
        ended,
    })
}

/// Reads the record again and again until it is terminal.
pub async fn by_poll<E: Execution>(
    env: &Environment,
    id: &str,
    every: Duration,
    budget: Budget,
) -> Result<Watched<E>, CheckError> {
    let mut phases = Vec::new();
    let mut clock = tokio::time::interval(every);
    let deadline = Instant::now() + budget.limit;
    loop {
        clock.tick().await;
        let execution: E = env.api().get(id).await?;
        phases.push(execution.phase());
        if execution.phase() >= ExecutionPhase::ExecutionCompleted {
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
            budget.limit
        );
    }
}

/// Watches executions in both ways, one after the other as `start` starts them. Both end with the same
/// record, the stream misses no phase that polling saw from its beginning on, and it is faster.
pub async fn compare<E: Execution>(
    env: &Environment,
    budget: Budget,
    check: Check<E>,
    start: impl AsyncFn(usize) -> Result<String, CheckError>,
) -> Result<(), CheckError> {
    const ROUNDS: usize = 5;
    const POLL: Duration = Duration::from_millis(500);
    let mut latencies = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        let started = Instant::now();
        let id = start(round).await?;
        let (stream, poll) = tokio::try_join!(
            by_stream(env, &id, budget, check),
            by_poll::<E>(env, &id, POLL, budget)
        )?;
        assert_eq!(
            stream.last, poll.last,
            "stream and poll end with different records"
        );
        // A phase that was over before the subscription began is not owed to it.
        let owed = poll.phases.iter();
        let owed = owed.filter(|phase| Some(*phase) >= stream.phases.first());
        let missed = owed.filter(|phase| !stream.phases.contains(phase));
        let missed = missed.collect::<Vec<_>>();
        assert!(
            missed.is_empty(),
            "the poll saw {missed:?}, the stream did not"
        );
        for (all, watched) in latencies.iter_mut().zip([&stream, &poll]) {
            all.push(watched.ended.duration_since(started));
        }
    }
    let [stream, poll] = latencies.map(median);
    let test = env.test();
    test.fact("stream_median_ms", stream.as_millis() as u64);
    test.fact("poll_median_ms", poll.as_millis() as u64);
    assert!(
        stream < poll,
        "the stream took {stream:?}, polling {poll:?}"
    );
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
