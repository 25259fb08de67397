//! Waiting inside a test: every wait is written down with its budget, and a time-out is explained by
//! the state of every environment.

use std::time::{Duration, Instant};

use stigmer_api::Resource;

use super::Test;
use crate::harness::{
    Broken, Snapshot, Watch,
    budget::Budget,
    wait::{Probe, WaitError, eventually},
};

impl Test {
    /// Waits until a condition holds, and writes down how much of `budget` that took.
    ///
    /// # Errors
    ///
    /// When it does not hold in time, or no longer can; the text has the history.
    pub async fn eventually<T>(
        &self,
        awaited: impl Into<String>,
        budget: Budget,
        look: impl AsyncFnMut() -> Probe<T>,
    ) -> Result<T, WaitError> {
        let awaited = awaited.into();
        let start = Instant::now();
        let outcome = eventually(awaited.clone(), budget, look).await;
        self.spend(budget, &awaited, start.elapsed());
        self.explained(outcome).await
    }

    /// Reads a subscription until the server ends it, and writes down how much of `budget` that took.
    ///
    /// # Errors
    ///
    /// When it does not end with OK in time; the text has the history.
    pub async fn until_closed<R: Resource>(
        &self,
        watch: Watch<R>,
        budget: Budget,
    ) -> Result<Vec<Snapshot<R>>, WaitError> {
        let start = Instant::now();
        let outcome = watch.until_closed(budget).await;
        self.spend(budget, "the stream ended", start.elapsed());
        self.explained(outcome).await
    }

    /// Adds the state of every environment to an error.
    async fn explained<T>(&self, mut outcome: Result<T, WaitError>) -> Result<T, WaitError> {
        if let Err(error) = &mut outcome {
            for environment in self.environments() {
                error.context.extend(environment.diagnosis().await);
            }
        }
        outcome
    }

    /// Writes down that `used` of `budget` went into `what`.
    ///
    /// # Errors
    ///
    /// When it is more than the limit.
    pub fn within(&self, budget: Budget, what: &str, used: Duration) -> Result<(), Broken> {
        self.spend(budget, what, used);
        crate::ensure!(
            used <= budget.limit,
            "{what} took {used:.1?}, more than {} ({:?})",
            budget.name,
            budget.limit
        );
        Ok(())
    }
}
