//! What a worker is to do.

use std::time::Duration;

use temporalio_common::{WorkflowDefinition, worker::WorkerDeploymentOptions};
use temporalio_sdk::{
    WorkerOptions,
    activities::ActivityImplementer,
    runtime::{
        PollerBehavior,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
    },
};
use temporalio_workflow::workflows::WorkflowImplementation;

use crate::QueueKind;

/// Tasks of one kind that one worker runs at a time, unless told otherwise.
const DEFAULT_SLOTS: usize = 100;

/// Polls of one kind that one worker keeps open. Two is the least the SDK takes with a workflow
/// cache; more only cost start-up time, since an open poll is answered at once.
const POLLS: usize = 2;

/// A worker to run: its queue and what it does.
pub struct WorkerSpec {
    pub(super) options: WorkerOptions,
    workflows: bool,
    activities: bool,
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
        Self {
            options,
            workflows: false,
            activities: false,
        }
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
        self.workflows = true;
        self
    }

    /// Adds the activities of `implementer`.
    #[must_use]
    pub fn with_activities<A: ActivityImplementer>(mut self, implementer: A) -> Self {
        self.options.register_activities(implementer);
        self.activities = true;
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

    /// Keeps no workflow between its tasks: each of them replays the whole history. For short workflows,
    /// which then need no queue of their own in Temporal and no poll for it.
    #[must_use]
    pub fn without_cache(mut self) -> Self {
        self.options.max_cached_workflows = 0;
        self.options.workflow_task_poller_behavior = Some(PollerBehavior::SimpleMaximum(1));
        self
    }

    /// Lets heartbeats of activities reach Temporal as often as every `interval`, and so lets them
    /// learn of their cancellation that soon. Otherwise the SDK holds them back for most of the
    /// activity's heartbeat timeout.
    #[must_use]
    pub fn with_heartbeat_interval(mut self, interval: Duration) -> Self {
        self.options.max_heartbeat_throttle_interval = interval;
        self.options.default_heartbeat_throttle_interval = interval;
        self
    }

    /// The kinds of tasks it polls for.
    pub(super) fn kinds(&self) -> impl Iterator<Item = QueueKind> + use<> {
        let workflows = self.workflows.then_some(QueueKind::Workflow);
        let activities = self.activities.then_some(QueueKind::Activity);
        workflows.into_iter().chain(activities)
    }
}
