//! The same steps written directly as a Temporal workflow: the anchor of what the stack adds.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use stigmer_e2e::harness::{Broken, Environment};
use stigmer_temporal::{Arguments, Client, Start, WorkerSpec, start_workflow};
use temporalio_client::{UntypedWorkflow, WorkflowGetResultOptions};
use temporalio_common::data_converters::TemporalSerializable;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

use crate::worker::{Worker, client};

const QUEUE: &str = "direct";
const TEN_SETS: &str = "direct/ten-sets";
const IN_TWO: &str = "direct/in-two";
const LIMIT: Duration = Duration::from_secs(60);

/// Ten values, one after the other, as many of them reported as one likes: what ten SET tasks do.
#[workflow]
#[derive(Default)]
pub struct TenSets;

#[workflow_methods]
impl TenSets {
    /// Returns the values.
    #[run(name = TEN_SETS)]
    pub async fn run(ctx: &mut WorkflowContext<Self>, reports: i64) -> WorkflowResult<Value> {
        let mut values = BTreeMap::new();
        for step in 1..=10 {
            values.insert(format!("step{step}"), step);
            if step <= reports {
                let options = ActivityOptions::start_to_close_timeout(LIMIT);
                ctx.execute_activity(Steps::report, step, options).await?;
            }
        }
        Ok(json!(values))
    }
}

/// The shape that the contract prescribes: a workflow whose activity waits for a second one.
#[workflow]
#[derive(Default)]
pub struct InTwo;

#[workflow_methods]
impl InTwo {
    /// Returns when the second workflow, `id` with an ending, has.
    #[run(name = IN_TWO)]
    pub async fn run(ctx: &mut WorkflowContext<Self>, id: String) -> WorkflowResult<()> {
        let options = ActivityOptions::start_to_close_timeout(LIMIT);
        Ok(ctx.execute_activity(Steps::second, id, options).await?)
    }
}

/// What the workflows have done for them.
pub struct Steps {
    client: Client,
}

#[activities]
impl Steps {
    /// Takes note of a step.
    #[activity(name = "direct/report")]
    pub async fn report(_ctx: ActivityContext, _step: i64) -> Result<(), ActivityError> {
        Ok(())
    }

    /// Runs the ten steps in a workflow of their own.
    #[activity(name = "direct/second")]
    pub async fn second(
        self: Arc<Self>,
        _ctx: ActivityContext,
        id: String,
    ) -> Result<(), ActivityError> {
        let ended = run(&self.client, TEN_SETS, &format!("{id}/second"), &0_i64).await;
        ended.map_err(|error| anyhow::Error::new(error).into())
    }
}

/// A worker for it, on the Temporal of an environment.
pub struct Direct {
    worker: Worker,
    client: Client,
}

/// How a workflow is written directly.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// One workflow that keeps its steps to itself.
    Bare,
    /// One workflow that reports its first step by an activity.
    Calling,
    /// One workflow that reports each step by an activity.
    Reporting,
    /// A workflow whose activity waits for a second one, as the contract prescribes.
    InTwo,
}

impl Direct {
    pub async fn start(env: &Environment) -> Result<Self, Broken> {
        let client = client(env).await?;
        let spec = WorkerSpec::new(QUEUE, "test")
            .with_workflow::<TenSets>()
            .with_workflow::<InTwo>()
            .with_activities(Steps {
                client: client.clone(),
            })
            .with_max_activities(1000);
        Ok(Self {
            worker: Worker::start(env, spec).await?,
            client,
        })
    }

    /// Runs the ten steps once under `id`, which nothing has had before.
    pub async fn run(&self, id: &str, shape: Shape) -> Result<(), Broken> {
        match shape {
            Shape::Bare => run(&self.client, TEN_SETS, id, &0_i64).await,
            Shape::Calling => run(&self.client, TEN_SETS, id, &1_i64).await,
            Shape::Reporting => run(&self.client, TEN_SETS, id, &10_i64).await,
            Shape::InTwo => run(&self.client, IN_TWO, id, &id.to_owned()).await,
        }
    }

    pub async fn stop(self) -> Result<(), Broken> {
        self.worker.stop().await
    }
}

/// Runs a workflow to its end.
async fn run<A>(client: &Client, kind: &str, id: &str, argument: &A) -> Result<(), Broken>
where
    A: TemporalSerializable + 'static,
{
    let broken = |error: String| Broken(format!("the direct workflow {id}: {error}"));
    let arguments = Arguments::none()
        .with(argument)
        .map_err(|e| broken(e.to_string()))?;
    let start = Start {
        workflow_type: kind,
        workflow_id: id,
        task_queue: QUEUE,
        arguments,
        memo: &[],
        run_timeout: LIMIT,
        deadline: LIMIT,
        eager: false,
    };
    start_workflow(client, start)
        .await
        .map_err(|e| broken(e.to_string()))?;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(id);
    let result = handle.get_result(WorkflowGetResultOptions::default()).await;
    result.map(drop).map_err(|error| broken(error.to_string()))
}
