//! The same steps written directly as a Temporal workflow: the anchor of what the stack adds.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use stigmer_e2e::harness::{Broken, Environment};
use stigmer_temporal::{Arguments, Client, Start, WorkerSpec, start_workflow};
use temporalio_client::{UntypedWorkflow, WorkflowGetResultOptions};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

use crate::worker::{Worker, client};

const QUEUE: &str = "direct";
const TEN_SETS: &str = "direct/ten-sets";
const LIMIT: Duration = Duration::from_secs(60);

/// Ten values, one after the other, each of them reported: what ten SET tasks do.
#[workflow]
#[derive(Default)]
pub struct TenSets;

#[workflow_methods]
impl TenSets {
    /// Returns the values.
    #[run(name = TEN_SETS)]
    pub async fn run(ctx: &mut WorkflowContext<Self>, reported: bool) -> WorkflowResult<Value> {
        let mut values = BTreeMap::new();
        for step in 1..=10 {
            values.insert(format!("step{step}"), step);
            if reported {
                let options = ActivityOptions::start_to_close_timeout(LIMIT);
                ctx.execute_activity(Reports::report, step, options).await?;
            }
        }
        Ok(json!(values))
    }
}

/// What a step leaves behind.
pub struct Reports;

#[activities]
impl Reports {
    /// Takes note.
    #[activity(name = "direct/report")]
    pub async fn report(_ctx: ActivityContext, _step: i64) -> Result<(), ActivityError> {
        Ok(())
    }
}

/// A worker for it, on the Temporal of an environment.
pub struct Direct {
    worker: Worker,
    client: Client,
}

impl Direct {
    pub async fn start(env: &Environment) -> Result<Self, Broken> {
        let spec = WorkerSpec::new(QUEUE, "test")
            .with_workflow::<TenSets>()
            .with_activities(Reports);
        Ok(Self {
            worker: Worker::start(env, spec).await?,
            client: client(env).await?,
        })
    }

    /// Runs it once under `id`, which nothing has had before.
    pub async fn run(&self, id: &str, reported: bool) -> Result<(), Broken> {
        let broken = |error: String| Broken(format!("the direct workflow {id}: {error}"));
        let arguments = Arguments::none()
            .with(&reported)
            .map_err(|e| broken(e.to_string()))?;
        let start = Start {
            workflow_type: TEN_SETS,
            workflow_id: id,
            task_queue: QUEUE,
            arguments,
            memo: &[],
            run_timeout: LIMIT,
            deadline: LIMIT,
        };
        start_workflow(&self.client, start)
            .await
            .map_err(|e| broken(e.to_string()))?;
        let handle = self.client.get_workflow_handle::<UntypedWorkflow>(id);
        let result = handle.get_result(WorkflowGetResultOptions::default()).await;
        result.map(drop).map_err(|error| broken(error.to_string()))
    }

    pub async fn stop(self) -> Result<(), Broken> {
        self.worker.stop().await
    }
}
