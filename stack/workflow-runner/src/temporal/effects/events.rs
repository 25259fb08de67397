//! Events: signals and updates that are waited for, queries that are offered.

use std::collections::BTreeMap;

use futures_util::future::FutureExt as _;
use serde_json::Value as Json;
use temporalio_sdk::{
    TimerOptions, TimerResult, WaitConditionOptions, WorkflowTermination, workflows,
};

use super::TemporalEffects;
use crate::{
    engine::{
        interpret::{Awaited, Effect},
        model::EventKind,
    },
    temporal::{
        ServerlessWorkflow,
        failure::{self, Stopped},
    },
};

impl TemporalEffects {
    pub(super) async fn await_events(
        &self,
        awaited: Awaited,
    ) -> Effect<Option<BTreeMap<String, Json>>, WorkflowTermination> {
        let is_query = |kind: EventKind| kind == EventKind::Query;
        let queries = awaited
            .events
            .iter()
            .filter(|event| is_query(event.kind))
            .map(|event| event.id.clone());
        let queries = queries.collect::<Vec<_>>();
        self.ctx.state_mut(|state| state.queries.extend(queries));
        let ids = awaited
            .events
            .iter()
            .filter(|event| !is_query(event.kind))
            .map(|event| event.id.clone())
            .collect::<Vec<_>>();
        let needed = if awaited.all {
            ids.len()
        } else {
            ids.len().min(1)
        };
        if needed == 0 {
            return Ok(Some(BTreeMap::new()));
        }
        let timer_token = self.token.child_token();
        let timer = self.ctx.timer(
            TimerOptions::builder(awaited.timeout)
                .cancellation_token(timer_token.clone())
                .build(),
        );
        let come = |state: &ServerlessWorkflow| {
            ids.iter()
                .filter(|id| state.inbox.get(*id).is_some_and(|queue| !queue.is_empty()))
                .count()
                >= needed
        };
        let options = WaitConditionOptions::builder()
            .cancellation_token(self.token.clone())
            .build();
        let mut condition = Box::pin(self.ctx.wait_condition_with_options(come, options));
        let mut timer = Box::pin(timer.fuse());
        let came: Result<bool, Stopped> = workflows::select! {
            come = condition => come.map(|()| true).map_err(|_| failure::cancelled()),
            over = timer => match over {
                TimerResult::Fired => Ok(false),
                TimerResult::Cancelled => Err(failure::cancelled()),
            },
        };
        drop(condition);
        if !came? {
            return Ok(None);
        }
        timer_token.cancel();
        Ok(Some(self.ctx.state_mut(|state| take(state, &ids, needed))))
    }
}

/// Takes the oldest of each until there are enough.
fn take(state: &mut ServerlessWorkflow, ids: &[String], needed: usize) -> BTreeMap<String, Json> {
    let mut taken = BTreeMap::new();
    for id in ids {
        if taken.len() < needed
            && let Some(data) = state.inbox.get_mut(id).and_then(|queue| queue.pop_front())
        {
            taken.insert(id.clone(), data);
        }
    }
    taken
}
