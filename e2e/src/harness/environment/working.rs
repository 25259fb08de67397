//! Whether a private environment does work.
//!
//! It counts as started when each queue has a live poller, which is the part that announced the queue.
//! Temporal hands a task to such a poller at once, so this proves what a workflow through each queue
//! would, at a tenth of Temporal's time.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use stigmer_api::temporal_names::{AGENT_EXECUTION_RUNNER, AGENT_EXECUTION_STIGMER};
use stigmer_temporal::{PingError, QueueKind};

use super::{Environment, Part};
use crate::harness::{
    Probe, Temporal, WaitError,
    budget::{Budget, START},
    temporal::QUEUES,
    wait::eventually,
};

impl Environment {
    /// Waits until every part polls each queue that it announced.
    ///
    /// # Errors
    ///
    /// When one does not within `budget`; the text says who polls it instead.
    pub(super) async fn polled(&self, budget: Budget) -> Result<(), WaitError> {
        let waits = self.parts().flat_map(|part| {
            let queues = part.ready().task_queues.into_iter();
            queues.map(move |queue| polls(self.temporal(), part, queue, budget))
        });
        try_join_all(waits).await.map(drop)
    }

    /// Proves that every queue does work: pings that together pass through each queue that a part
    /// announced, all of them at the same time.
    ///
    /// # Errors
    ///
    /// When one is not answered within `limit`.
    pub async fn ping(&self, limit: Duration) -> Result<(), PingError> {
        let server = self.0.server.ready().task_queues;
        let runners = self.runners().flat_map(|part| part.ready().task_queues);
        let routes = routes(&server, &runners.collect::<Vec<_>>());
        let pings = routes.iter().map(|(workflow_queue, activity_queue)| {
            self.temporal()
                .ping(workflow_queue, activity_queue.as_deref(), limit)
        });
        try_join_all(pings).await.map(drop)
    }

    /// How long a bare workflow with one activity takes in a whole environment, through the workers that
    /// an agent execution uses: the anchor for what such an execution costs.
    pub(super) async fn bare_workflow(&self) -> Result<Option<Duration>, PingError> {
        let whole = self.0.workflow_runner.is_some() && self.0.agent_runner.is_some();
        let Some(temporal) = self.0.temporal.get().filter(|_| whole) else {
            return Ok(None);
        };
        let start = Instant::now();
        let (workflows, activities) = (AGENT_EXECUTION_STIGMER, AGENT_EXECUTION_RUNNER);
        temporal
            .ping(workflows.default, Some(activities.default), START.limit)
            .await?;
        Ok(Some(start.elapsed()))
    }
}

/// Waits until `part` polls `queue` for every kind of task that is in it.
async fn polls(
    temporal: &Temporal,
    part: &Part,
    queue: String,
    budget: Budget,
) -> Result<(), WaitError> {
    let ready = part.ready();
    let identity = format!("{}@{}/", ready.component, ready.pid);
    let kinds = kinds(&queue);
    let awaited = format!("{identity} polls {queue:?}, which it announced");
    eventually(awaited, budget, async || {
        if kinds.is_empty() {
            return Probe::Hopeless("the contract knows no such queue".to_owned());
        }
        for kind in &kinds {
            let pollers = match temporal.pollers(&queue, *kind).await {
                Ok(pollers) => pollers,
                Err(error) => return Probe::NotYet(error.to_string()),
            };
            let mut identities = pollers.iter().map(|poller| poller.identity.as_str());
            if !identities.any(|poller| poller.starts_with(&identity)) {
                return Probe::NotYet(format!("{kind:?} tasks are polled by {pollers:?}"));
            }
        }
        Probe::Done(())
    })
    .await
}

/// The kinds of tasks in `queue`.
fn kinds(queue: &str) -> Vec<QueueKind> {
    let of_queue = QUEUES.iter().filter(|(known, _)| known.default == queue);
    of_queue.map(|(_, kind)| *kind).collect()
}

/// Pairs of a server's queue and, as long as there are any, a runner's, in which each queue occurs.
fn routes(server: &[String], runners: &[String]) -> Vec<(String, Option<String>)> {
    let count = server.len().max(runners.len());
    let pairs = server.iter().cycle().zip(0..count);
    pairs
        .map(|(queue, i)| (queue.clone(), runners.get(i).cloned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_on_a_route() {
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let route =
            |server: &str, runner: Option<&str>| (server.to_owned(), runner.map(ToOwned::to_owned));
        assert_eq!(
            routes(&names(&["a", "b"]), &names(&["x", "y", "z"])),
            [
                route("a", Some("x")),
                route("b", Some("y")),
                route("a", Some("z"))
            ]
        );
        assert_eq!(
            routes(&names(&["a", "b"]), &names(&["x"])),
            [route("a", Some("x")), route("b", None)]
        );
        assert!(routes(&[], &names(&["x"])).is_empty());
    }
}
