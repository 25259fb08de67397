//! Several subscribers, hasty ones, and slow ones.

use std::time::Duration;

use stigmer_api::{
    Resource,
    agent_execution::ExecutionPhase,
    workflow_execution::{WorkflowExecution, WorkflowExecutionStatus},
};
use stigmer_e2e::harness::{CheckError, Environment, budget::WF, story};

use super::{
    watching::{phases_of, subscribed},
    workflows::{check_tasks_go_on, start, start_gated, with_workflow},
};
use crate::then::{self, Execution};

#[test]
fn str_05_five_subscribers_get_the_same_end_and_one_leaving_disturbs_none() {
    story(async |t| {
        const SUBSCRIBERS: usize = 5;
        let (env, workflow) = with_workflow(&t).await?;
        let (id, gate) = start_gated(&env, &workflow, "popular").await?;
        t.step("five subscribe, and one of them leaves");
        let mut watches = Vec::new();
        for _ in 0..SUBSCRIBERS {
            watches.push(subscribed::<WorkflowExecution>(&env, &id).await?.0);
        }
        drop(watches.remove(2));
        gate.open();
        t.step("the others see the same to the end");
        let closing = watches.into_iter().map(|watch| t.until_closed(watch, WF));
        let streams = futures_util::future::try_join_all(closing).await?;
        let stored: WorkflowExecution = env.api().get(&id).await?;
        assert_eq!(stored.phase(), ExecutionPhase::ExecutionCompleted);
        assert_eq!(streams.len(), SUBSCRIBERS - 1);
        for snapshots in &streams {
            check_tasks_go_on(snapshots)?;
            assert_eq!(snapshots.last().map(|last| &last.resource), Some(&stored));
        }
        Ok(())
    });
}

/// Reports `phase`, as a runner does.
async fn report(env: &Environment, id: &str, phase: ExecutionPhase) -> Result<(), CheckError> {
    let status = WorkflowExecutionStatus {
        phase: phase as i32,
        ..Default::default()
    };
    env.api().update_workflow_status(id, status).await?;
    Ok(())
}

/// One execution, reported to begin and to end a moment later, while others subscribe, each at a moment
/// of its own. Returns the phases that each of them saw.
async fn race(
    env: &Environment,
    workflow: &str,
    name: &str,
    reports: [Duration; 2],
    subscriptions: Vec<Duration>,
) -> Result<Vec<Vec<ExecutionPhase>>, CheckError> {
    let id = start(env, workflow, name).await?;
    let reporting = async {
        tokio::time::sleep(reports[0]).await;
        report(env, &id, ExecutionPhase::ExecutionInProgress).await?;
        tokio::time::sleep(reports[1]).await;
        report(env, &id, ExecutionPhase::ExecutionCancelled).await
    };
    let watching = subscriptions.into_iter().map(|pause| {
        let id = &id;
        async move {
            tokio::time::sleep(pause).await;
            let watch = env.api().subscribe::<WorkflowExecution>(id).await?;
            let snapshots = env.test().until_closed(watch, WF).await?;
            Ok::<_, CheckError>(phases_of(&snapshots))
        }
    });
    let watching = futures_util::future::try_join_all(watching);
    Ok(tokio::try_join!(reporting, watching)?.1)
}

#[test]
fn str_03_no_update_around_a_subscription_is_lost() {
    story(async |t| {
        const EXECUTIONS: usize = 50;
        const AT_ONCE: usize = 5;
        const SUBSCRIPTIONS: usize = 10;
        let (env, workflow) = with_workflow(&t).await?;
        // Nobody else reports: the test is the runner.
        env.workflow_runner().stop().await?;
        t.step("500 subscriptions, each at a random time around the end of its execution");
        let mut random = t.random();
        let mut moment = |longest_us: u64| Duration::from_micros(random.next_u64() % longest_us);
        let (mut streams, mut after_the_end) = (0, 0);
        for group in 0..EXECUTIONS / AT_ONCE {
            let races = (0..AT_ONCE).map(|n| {
                let reports = [moment(5_000), moment(5_000)];
                let subscriptions = (0..SUBSCRIPTIONS).map(|_| moment(20_000)).collect();
                let name = format!("round-{}", group * AT_ONCE + n);
                let (env, workflow) = (&env, &workflow);
                async move { race(env, workflow, &name, reports, subscriptions).await }
            });
            let races = races.collect::<Vec<_>>();
            for phases in futures_util::future::try_join_all(races).await?.concat() {
                then::check_phases(&phases)?;
                streams += 1;
                after_the_end += usize::from(phases.len() == 1);
            }
        }
        t.fact("subscribed_after_the_end", after_the_end);
        assert_eq!(streams, EXECUTIONS * SUBSCRIPTIONS);
        assert!(
            (1..streams).contains(&after_the_end),
            "{after_the_end} of {streams} subscriptions came after the end: the times do not overlap"
        );
        Ok(())
    });
}

#[test]
fn str_06_a_slow_reader_still_gets_the_end() {
    story(async |t| {
        const REPORTS: usize = 300;
        let (env, workflow) = with_workflow(&t).await?;
        env.workflow_runner().stop().await?;
        let id = start(&env, &workflow, "chatty").await?;
        report(&env, &id, ExecutionPhase::ExecutionInProgress).await?;
        let (watch, _) = subscribed::<WorkflowExecution>(&env, &id).await?;
        t.step("300 reports of 100 KB that nobody reads, then the end");
        for n in 0..REPORTS {
            let status = WorkflowExecutionStatus {
                phase: ExecutionPhase::ExecutionInProgress as i32,
                error: format!("{n} {}", "x".repeat(100_000)),
                ..Default::default()
            };
            env.api().update_workflow_status(&id, status).await?;
        }
        report(&env, &id, ExecutionPhase::ExecutionCancelled).await?;
        t.step("now read");
        let snapshots = t.until_closed(watch, WF).await?;
        t.fact("snapshots_read", snapshots.len());
        let last = snapshots.last().map(|last| last.resource.phase());
        assert_eq!(last, Some(ExecutionPhase::ExecutionCancelled));
        let stored: WorkflowExecution = env.api().get(&id).await?;
        assert_eq!(stored.id(), id);
        assert_eq!(snapshots.last().map(|last| &last.resource), Some(&stored));
        Ok(())
    });
}
