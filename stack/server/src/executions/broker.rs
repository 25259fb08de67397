//! Tells watchers of an execution what is committed about it, in order, without holding anybody up.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{Execution, Phase};
use crate::store::{Change, CommitObserver};

/// Snapshots that wait for one watcher. When it falls behind further, old ones are dropped for
/// newer ones of the same phase, so that it still sees every phase and the end.
const BACKLOG: usize = 64;

/// The watchers of all executions of one kind.
pub struct Broker<E> {
    mailboxes: Mutex<HashMap<String, Vec<Arc<Mailbox<E>>>>>,
}

/// One watcher of one execution. Dropping it ends the watch.
pub struct Watcher<E> {
    id: String,
    mailbox: Arc<Mailbox<E>>,
    broker: Arc<Broker<E>>,
}

struct Mailbox<E> {
    contents: Mutex<Contents<E>>,
    arrived: Notify,
}

struct Contents<E> {
    snapshots: VecDeque<(Phase, Arc<E>)>,
    deleted: bool,
}

impl<E> Default for Broker<E> {
    fn default() -> Self {
        Self {
            mailboxes: Mutex::default(),
        }
    }
}

impl<E> Broker<E> {
    /// Watches the execution with this id: every commit from now on is delivered.
    pub fn watch(self: &Arc<Self>, id: &str) -> Watcher<E> {
        let contents = Contents {
            snapshots: VecDeque::new(),
            deleted: false,
        };
        let mailbox = Arc::new(Mailbox {
            contents: Mutex::new(contents),
            arrived: Notify::new(),
        });
        locked(&self.mailboxes)
            .entry(id.to_owned())
            .or_default()
            .push(Arc::clone(&mailbox));
        Watcher {
            id: id.to_owned(),
            mailbox,
            broker: Arc::clone(self),
        }
    }

    fn mailboxes_of(&self, id: &str) -> Vec<Arc<Mailbox<E>>> {
        locked(&self.mailboxes).get(id).cloned().unwrap_or_default()
    }
}

impl<E: Execution> CommitObserver for Broker<E> {
    fn committed(&self, changes: &[Change]) {
        for change in changes.iter().filter(|change| change.kind == E::KIND) {
            let mailboxes = self.mailboxes_of(&change.id);
            if mailboxes.is_empty() {
                continue;
            }
            let snapshot = match change.data.as_deref().map(E::decode) {
                None => None,
                Some(Ok(execution)) => Some((execution.current_phase(), Arc::new(execution))),
                // The bytes were encoded by this process a moment ago.
                Some(Err(error)) => {
                    tracing::error!(id = change.id, %error, "a stored execution does not decode");
                    continue;
                }
            };
            mailboxes
                .iter()
                .for_each(|mailbox| mailbox.put(snapshot.clone()));
        }
    }
}

impl<E> Mailbox<E> {
    /// Adds a snapshot, or the news that there will be none any more.
    fn put(&self, snapshot: Option<(Phase, Arc<E>)>) {
        stigmer_fault::inject!(TerminalUpdateLost, {
            if snapshot
                .as_ref()
                .is_some_and(|(phase, _)| phase.is_terminal())
            {
                return;
            }
        });
        let mut contents = locked(&self.contents);
        match snapshot {
            None => contents.deleted = true,
            Some(snapshot) => {
                contents.snapshots.push_back(snapshot);
                contents.make_room();
            }
        }
        drop(contents);
        self.arrived.notify_one();
    }
}

impl<E> Contents<E> {
    fn make_room(&mut self) {
        if self.snapshots.len() <= BACKLOG {
            return;
        }
        // Phases never step back, so with more snapshots than phases two neighbours share one.
        let stale = (1..self.snapshots.len())
            .find(|&next| self.snapshots[next - 1].0 == self.snapshots[next].0)
            .map_or(0, |next| next - 1);
        self.snapshots.remove(stale);
    }
}

impl<E> Watcher<E> {
    /// The next snapshot, or `None` once the execution is deleted. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Arc<E>> {
        loop {
            {
                let mut contents = locked(&self.mailbox.contents);
                if let Some((_, snapshot)) = contents.snapshots.pop_front() {
                    return Some(snapshot);
                }
                if contents.deleted {
                    return None;
                }
            }
            self.mailbox.arrived.notified().await;
        }
    }
}

impl<E> Drop for Watcher<E> {
    fn drop(&mut self) {
        let mut mailboxes = locked(&self.broker.mailboxes);
        if let Some(watching) = mailboxes.get_mut(&self.id) {
            watching.retain(|mailbox| !Arc::ptr_eq(mailbox, &self.mailbox));
            if watching.is_empty() {
                mailboxes.remove(&self.id);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is done under these locks that could panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
