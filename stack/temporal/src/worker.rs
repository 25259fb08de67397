//! Hosting workers: each on a thread of its own, stopped together and within a bound.

use std::{collections::BTreeSet, panic::AssertUnwindSafe, thread, time::Duration};

use futures::FutureExt;
use temporalio_client::Client;
use temporalio_common::{WorkflowDefinition, worker::WorkerDeploymentOptions};
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions,
    activities::ActivityImplementer,
    runtime::{
        PollerBehavior, RuntimeOptions,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
    },
};
use temporalio_workflow::workflows::WorkflowImplementation;
use tokio::{
    runtime::Handle,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use crate::error_text;

/// Tasks of one kind that one worker runs at a time, unless told otherwise.
const DEFAULT_SLOTS: usize = 100;

/// Polls of one kind that one worker keeps open. Two is the least the SDK takes with a workflow
/// cache; more only cost start-up time, since an open poll is answered at once.
const POLLS: usize = 2;

/// A worker to run: its queue and what it does.
pub struct WorkerSpec {
    options: WorkerOptions,
}

impl WorkerSpec {
    /// A worker for `task_queue` that does nothing yet. `build_id` tells builds apart in Temporal;
    /// without one the SDK would hash the whole executable at start.
    pub fn new(task_queue: &str, build_id: &str) -> Self {
        let options = WorkerOptions::new(task_queue)
            .deployment_options(WorkerDeploymentOptions::from_build_id(build_id.to_owned()))
            .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(POLLS))
            .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(POLLS))
            // Activities in flight are told at once; what they owe their callers they do then.
            .graceful_shutdown_period(Duration::ZERO)
            .build();
        Self { options }
    }

    /// Adds a workflow type.
    ///
    /// # Panics
    ///
    /// When a workflow of the same name was added before, which is a mistake in the program.
    #[must_use]
    pub fn with_workflow<W>(mut self) -> Self
    where
        W: WorkflowImplementation,
        <W::Run as WorkflowDefinition>::Input: Send,
    {
        self.options
            .register_workflow::<W>()
            .expect("a worker has one workflow of each name");
        self
    }

    /// Adds the activities of `implementer`.
    #[must_use]
    pub fn with_activities<A: ActivityImplementer>(mut self, implementer: A) -> Self {
        self.options.register_activities(implementer);
        self
    }

    /// Runs at most `count` activities at a time (100 unless set).
    #[must_use]
    pub fn with_max_activities(mut self, count: usize) -> Self {
        let slots = FixedSizeSlotSupplier::new;
        self.options.tuner = TunerHolder::builder()
            .workflow_task_slot_supplier(slots(DEFAULT_SLOTS))
            .activity_task_slot_supplier(slots(count))
            .local_activity_task_slot_supplier(slots(DEFAULT_SLOTS))
            .nexus_task_slot_supplier(slots(1))
            .build()
            .into();
        self
    }
}

/// A worker did not start or ended although nobody asked.
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

/// Running workers.
pub struct WorkersHandle {
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
    let mut workers = Vec::new();
    for spec in specs {
        let task_queue = spec.options.task_queue.clone();
        let failed = |cause: String| WorkerError {
            task_queue,
            cause,
            what: "was not made",
        };
        // Reports of workers to Temporal cost a further poller each and nobody reads them here.
        let options = RuntimeOptions::builder().heartbeat_interval(None).build();
        let worker = options
            .map_err(|e| e.to_string())
            .and_then(|options| {
                Runtime::from_current_tokio(options).map_err(|e| error_text::chain(&e))
            })
            .and_then(|runtime| {
                Worker::new(&runtime, client.clone(), spec.options)
                    .map_err(|e| error_text::chain(&e))
            });
        workers.push(worker.map_err(failed)?);
    }
    let (ended, ends) = unbounded_channel();
    let mut handle = WorkersHandle {
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
    /// Waits until a worker ends although nobody asked it to, and says why. Never resolves while
    /// all of them run. May be dropped and called again.
    pub async fn ended(&mut self) -> WorkerError {
        match self.ends.recv().await {
            Some(end) => {
                self.running.remove(&end.task_queue);
                let cause = end
                    .error
                    .unwrap_or_else(|| "it was shut down from inside".to_owned());
                WorkerError {
                    task_queue: end.task_queue,
                    cause,
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
                let Some(end) = self.ends.recv().await else {
                    break;
                };
                self.running.remove(&end.task_queue);
                if let Some(error) = end.error {
                    tracing::warn!(
                        task_queue = end.task_queue,
                        error,
                        "worker ended with an error"
                    );
                }
            }
        };
        timeout(deadline, all_ended).await.map_err(|_| StopError {
            task_queues: self.running.iter().cloned().collect(),
            seconds: deadline.as_secs_f64(),
        })
    }
}
