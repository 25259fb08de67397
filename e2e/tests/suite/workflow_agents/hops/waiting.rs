//! An activity that is completed by whoever has its token.

#![expect(
    dead_code,
    reason = "the macro makes a constant of each activity, for workflows in Rust to call it by"
)]

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use stigmer_temporal::WorkerSpec;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// The tokens of activities that wait. Clones are handles of the same list.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<Vec<Vec<u8>>>>);

/// The activities.
pub struct Waiting(Tokens);

#[activities]
impl Waiting {
    /// Waits to be completed from outside.
    #[activity(name = "hops/wait")]
    pub async fn wait(
        self: Arc<Self>,
        ctx: ActivityContext,
        _input: Value,
    ) -> Result<Value, ActivityError> {
        let mut tokens = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.push(ctx.info().task_token.clone());
        Err(ActivityError::WillCompleteAsync)
    }
}

impl Tokens {
    /// A worker for the queue `hops` that writes its tokens down here.
    pub fn worker(&self) -> WorkerSpec {
        WorkerSpec::new("hops", "test").with_activities(Waiting(self.clone()))
    }

    /// The first one.
    pub fn first(&self) -> Option<Vec<u8>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.first().cloned()
    }
}
