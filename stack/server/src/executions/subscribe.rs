//! The stream of one execution: its state now, then every change, until it has ended.

use std::sync::Arc;

use futures::{Stream, stream};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{Broker, Execution, Watcher};
use crate::{
    mask::Outgoing as _,
    pipeline::{StepError, steps},
    store::Store,
};

/// A stream of snapshots.
pub struct Subscription<E> {
    first: E,
    watcher: Watcher<E>,
    stopping: CancellationToken,
}

/// Subscribes to the execution with this id. The stream ends with an error when `stopping` is
/// cancelled.
pub async fn subscribe<E: Execution>(
    store: &Store,
    broker: &Arc<Broker<E>>,
    id: String,
    stopping: CancellationToken,
) -> Result<Subscription<E>, StepError> {
    let broker = Arc::clone(broker);
    // Between two writes, so that no change falls between the snapshot and the watch.
    let (first, watcher) = store
        .between_writes(move |rows| {
            let first: E = steps::load_by_id(rows, &id, "LoadTarget")?;
            Ok::<_, StepError>((first, broker.watch(&id)))
        })
        .await?;
    Ok(Subscription {
        first,
        watcher,
        stopping,
    })
}

enum Next<E> {
    First(Subscription<E>),
    Change(Watcher<E>, CancellationToken),
    End,
}

impl<E: Execution> Subscription<E> {
    /// The snapshots, secrets hidden. Ends with OK after one in a terminal phase, with NOT_FOUND
    /// when the execution is deleted, and with UNAVAILABLE when the server stops.
    pub fn into_stream(self) -> impl Stream<Item = Result<E, Status>> + Send + 'static {
        stream::unfold(Next::First(self), |next| async {
            match next {
                Next::First(Subscription {
                    first,
                    watcher,
                    stopping,
                }) => Some(send(first, watcher, stopping)),
                Next::Change(mut watcher, stopping) => {
                    tokio::select! {
                        biased;
                        () = stopping.cancelled() => {
                            Some((Err(Status::unavailable("the server is stopping")), Next::End))
                        }
                        snapshot = watcher.next() => Some(match snapshot {
                            Some(snapshot) => send(Arc::unwrap_or_clone(snapshot), watcher, stopping),
                            None => (Err(deleted::<E>()), Next::End),
                        }),
                    }
                }
                Next::End => None,
            }
        })
    }
}

fn send<E: Execution>(
    snapshot: E,
    watcher: Watcher<E>,
    stopping: CancellationToken,
) -> (Result<E, Status>, Next<E>) {
    let next = match snapshot.current_phase().is_terminal() {
        true => Next::End,
        false => Next::Change(watcher, stopping),
    };
    (Ok(snapshot.masked()), next)
}

fn deleted<E: Execution>() -> Status {
    Status::not_found(format!("the {} was deleted", E::kind_name()))
}
