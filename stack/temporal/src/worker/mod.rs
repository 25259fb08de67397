//! Hosting workers: each on a thread of its own, stopped together and within a bound.

mod spec;

use std::{collections::BTreeSet, panic::AssertUnwindSafe, thread, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use futures::FutureExt;
use temporalio_client::{Client, NamespacedClient};
use temporalio_sdk::{Runtime, Worker, runtime::RuntimeOptions};
use tokio::{
    runtime::Handle,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};
use uuid::Uuid;

pub use self::spec::WorkerSpec;
use crate::{QueueKind, error_text, pollers};

/// A worker did not start, does not poll, or ended although nobody asked.
#[derive(Debug, thiserror::Error)]
#[error("the Temporal worker of queue {task_queue} {what}: {cause}")]
pub struct WorkerError {
    /// The queue.
    pub task_queue: String,
    /// Why.
    pub cause: String,
    what: &'static str,
}

/// Workers that did not end in time.
#[derive(Debug, thiserror::Error)]
#[error("Temporal workers still running {seconds:.1} s after they were stopped: {}", .task_queues.join(", "))]
pub struct StopError {
    /// Their queues.
    pub task_queues: Vec<String>,
    seconds: f64,
}

/// Running workers. Dropping the handle leaves them running until the process ends.
pub struct WorkersHandle {
    client: Client,
    identity: String,
    polled: Vec<(String, QueueKind)>,
    running: BTreeSet<String>,
    shutdowns: Vec<Box<dyn Fn() + Send + Sync>>,
    ends: UnboundedReceiver<End>,
}

struct End {
    task_queue: String,
    error: Option<String>,
}

/// Starts the workers, each on its own thread; their activities run on the current Tokio runtime,
/// which must be multi-threaded.
///
/// # Errors
///
/// When a worker cannot be made from its spec, for instance because it does nothing. Those already
/// made are dropped unstarted.
pub fn spawn_workers(client: Client, specs: Vec<WorkerSpec>) -> Result<WorkersHandle, WorkerError> {
    // Temporal remembers pollers for minutes: these must not be taken for earlier ones, also where
    // every process has the same pid, as in containers.
    let identity = format!("{}/{}", client.identity(), Uuid::new_v4().simple());
    let mut workers = Vec::new();
    let mut polled = Vec::new();
    for mut spec in specs {
        spec.options.client_identity_override = Some(identity.clone());
        let task_queue = spec.options.task_queue.clone();
        polled.extend(spec.kinds().map(|kind| (task_queue.clone(), kind)));
        workers.push(make(&client, spec).map_err(|cause| WorkerError {
            task_queue,
            cause,
            what: "was not made",
        })?);
    }
    let (ended, ends) = unbounded_channel();
    let mut handle = WorkersHandle {
        client,
        identity,
        polled,
        running: BTreeSet::new(),
        shutdowns: Vec::new(),
        ends,
    };
    for worker in workers {
        handle.running.insert(worker.task_queue().to_owned());
        handle.shutdowns.push(Box::new(worker.shutdown_handle()));
        run_on_thread(worker, ended.clone());
    }
    Ok(handle)
}

fn make(client: &Client, spec: WorkerSpec) -> Result<Worker, String> {
    // Reports of workers to Temporal cost a further poller each and nobody reads them here.
    let options = RuntimeOptions::builder().heartbeat_interval(None).build()?;
    let runtime = Runtime::from_current_tokio(options).map_err(|e| error_text::chain(&e))?;
    Worker::new(&runtime, client.clone(), spec.options).map_err(|e| error_text::chain(&e))
}

/// `Worker::run` is not `Send`, so it cannot be a task: it gets a thread that blocks on it.
fn run_on_thread(mut worker: Worker, ended: UnboundedSender<End>) {
    let runtime = Handle::current();
    let task_queue = worker.task_queue().to_owned();
    thread::Builder::new()
        .name(format!("worker {task_queue}"))
        .spawn(move || {
            let run = AssertUnwindSafe(worker.run()).catch_unwind();
            let error = match runtime.block_on(run) {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error_text::chain(&error)),
                Err(_) => Some("it panicked".to_owned()),
            };
            // Nobody listens any more when the handle was dropped.
            let _ = ended.send(End { task_queue, error });
        })
        // The process is out of threads or memory; there is no way to go on.
        .expect("the system starts a thread");
}

impl WorkersHandle {
    /// Waits until Temporal sees every worker poll, no longer than `deadline`.
    ///
    /// # Errors
    ///
    /// When a worker ends meanwhile, or Temporal does not see it poll in time.
    pub async fn until_polling(&mut self, deadline: Duration) -> Result<(), WorkerError> {
        let (client, identity) = (self.client.clone(), self.identity.clone());
        let polled = self.polled.clone();
        let all = async {
            for (task_queue, kind) in &polled {
                poll_seen(&client, &identity, task_queue, *kind, deadline).await?;
            }
            Ok(())
        };
        tokio::select! {
            error = self.ended() => Err(error),
            polling = all => polling,
        }
    }

    /// Waits until a worker ends although nobody asked it to, and says why. Never resolves while
    /// all of them run. May be dropped and called again.
    pub async fn ended(&mut self) -> WorkerError {
        match self.ends.recv().await {
            Some(end) => {
                self.running.remove(&end.task_queue);
                WorkerError {
                    task_queue: end.task_queue,
                    cause: end
                        .error
                        .unwrap_or_else(|| "it was shut down from inside".to_owned()),
                    what: "ended",
                }
            }
            // All of them were reported before.
            None => std::future::pending().await,
        }
    }

    /// Stops all workers: they take no more tasks, activities in flight are cancelled, and their
    /// results are still sent. Waits no longer than `deadline` for the end.
    ///
    /// # Errors
    ///
    /// When some of them still run after `deadline`.
    pub async fn stop(mut self, deadline: Duration) -> Result<(), StopError> {
        for shutdown in &self.shutdowns {
            shutdown();
        }
        let all_ended = async {
            while !self.running.is_empty() {
                let Some(End { task_queue, error }) = self.ends.recv().await else {
                    break;
                };
                self.running.remove(&task_queue);
                if let Some(error) = error {
                    tracing::warn!(task_queue, error, "worker ended with an error");
                }
            }
        };
        timeout(deadline, all_ended).await.map_err(|_| StopError {
            task_queues: self.running.iter().cloned().collect(),
            seconds: deadline.as_secs_f64(),
        })
    }
}

/// Waits until `identity` is among the pollers of a queue.
async fn poll_seen(
    client: &Client,
    identity: &str,
    task_queue: &str,
    kind: QueueKind,
    deadline: Duration,
) -> Result<(), WorkerError> {
    let look = || async {
        let seen = pollers(client, task_queue, kind)
            .await
            .map_err(|e| e.to_string())?;
        match seen.iter().any(|poller| poller.identity == identity) {
            true => Ok(()),
            false => Err(format!(
                "{} other pollers of its {kind:?} tasks are seen",
                seen.len()
            )),
        }
    };
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(2))
        .with_max_delay(Duration::from_millis(100))
        .with_total_delay(Some(deadline))
        .without_max_times();
    look.retry(backoff).await.map_err(|cause| WorkerError {
        task_queue: task_queue.to_owned(),
        cause,
        what: "is not seen polling",
    })
}
