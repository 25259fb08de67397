//! Work for a stack that suffers: executions one after the other, each with a mark of its own.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use stigmer_api::{
    Resource, agent::Agent, agent_execution::AgentExecution, execution_context::ExecutionValue,
    workflow::Workflow, workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{
    Call, CallError, CheckError, Environment, Probe, Response, WaitError, budget::NOWORKER,
    eventually,
};

use crate::{
    given,
    then::{self, Execution, is_over},
};

/// The calls that a workflow makes, in their order.
pub const STEPS: [&str; 3] = ["one", "two", "three"];

/// How long a call of the load takes at the hub: long enough to be hit in the middle of it.
const WORK: Duration = Duration::from_millis(300);

/// How long whoever is refused waits before the next try.
const REFUSED: Duration = Duration::from_millis(100);

/// What was accepted, and is owed an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The execution.
    pub id: String,
    /// What its calls carry.
    pub mark: String,
}

/// What runs, and what came of it so far.
pub struct Load {
    env: Environment,
    agent: String,
    workflow: String,
    marks: AtomicUsize,
    /// How often a request was not accepted.
    pub refused: AtomicUsize,
    agents: Mutex<Vec<Accepted>>,
    workflows: Mutex<Vec<Accepted>>,
}

impl Load {
    /// An agent, and a workflow that calls the hub in every step.
    pub async fn prepare(env: &Environment) -> Result<Self, CallError> {
        let tasks = STEPS.map(|step| {
            let path = format!("/{step}");
            let answer = Response::json(json!({"done": step})).after(WORK);
            env.hub().always(Call::post(&path), answer);
            let config = json!({
                "method": "POST", "endpoint": {"uri": env.hub().url(&path)},
                "body": {"mark": "${.env_vars.MARK}"}, "timeout_seconds": 60,
            });
            given::task(step, "HTTP_CALL", config)
        });
        let agent: Agent = env
            .api()
            .create(given::agent("helper", "You help whoever asks."))
            .await?;
        let workflow: Workflow = env.api().create(given::workflow("steps", &tasks)).await?;
        Ok(Self {
            env: env.clone(),
            agent: agent.id().to_owned(),
            workflow: workflow.id().to_owned(),
            marks: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            agents: Mutex::default(),
            workflows: Mutex::default(),
        })
    }

    /// Runs agents one after the other, each to its end, for ever.
    pub async fn agents(&self) -> Result<(), WaitError> {
        let ask = |mark: &str| given::execution(mark, &self.agent, mark);
        loop {
            let accepted = self.accepted("ask", ask).await;
            locked(&self.agents).push(accepted.clone());
            self.ended::<AgentExecution>(&accepted).await?;
        }
    }

    /// Runs workflows one after the other, each to its end, for ever.
    pub async fn workflows(&self) -> Result<(), WaitError> {
        loop {
            let accepted = self.accepted("go", |mark| self.workflow_with(mark)).await;
            locked(&self.workflows).push(accepted.clone());
            self.ended::<WorkflowExecution>(&accepted).await?;
        }
    }

    /// One more of each, after the chaos: both complete.
    pub async fn completes(&self) -> Result<(), CheckError> {
        let (ask, go) = (self.mark("ask"), self.mark("go"));
        let api = self.env.api();
        let agent = api
            .create(given::execution(&ask, &self.agent, &ask))
            .await?;
        let workflow = api.create(self.workflow_with(&go)).await?;
        then::completed(&self.env, agent.id(), NOWORKER).await?;
        then::workflow::completed(&self.env, workflow.id(), NOWORKER).await?;
        Ok(())
    }

    /// Every agent execution that was accepted.
    pub fn accepted_agents(&self) -> Vec<Accepted> {
        locked(&self.agents).clone()
    }

    /// Every workflow execution that was accepted.
    pub fn accepted_workflows(&self) -> Vec<Accepted> {
        locked(&self.workflows).clone()
    }

    /// A text that no other execution has, nor holds.
    fn mark(&self, what: &str) -> String {
        let number = self.marks.fetch_add(1, Ordering::Relaxed);
        format!("{what}-{number:05}.")
    }

    fn workflow_with(&self, mark: &str) -> WorkflowExecution {
        let mut execution = given::workflow_execution(mark, &self.workflow);
        let value = ExecutionValue {
            value: mark.to_owned(),
            is_secret: false,
        };
        let spec = execution.spec.get_or_insert_default();
        spec.runtime_env.insert("MARK".to_owned(), value);
        execution
    }

    /// Asks until one is accepted. What was refused may be there all the same, when only the answer got
    /// lost: each try has a mark of its own.
    async fn accepted<E: Execution>(&self, what: &str, make: impl Fn(&str) -> E) -> Accepted {
        loop {
            let mark = self.mark(what);
            match self.env.api().create(make(&mark)).await {
                Ok(created) => {
                    let id = created.id().to_owned();
                    return Accepted { id, mark };
                }
                Err(_) => self.refused.fetch_add(1, Ordering::Relaxed),
            };
            let next = tokio::time::Instant::now() + REFUSED;
            tokio::time::interval_at(next, REFUSED).tick().await;
        }
    }

    async fn ended<E: Execution>(&self, accepted: &Accepted) -> Result<(), WaitError> {
        let look = async || match self.env.api().get::<E>(&accepted.id).await {
            Ok(execution) if is_over(&execution) => Probe::Done(()),
            Ok(execution) => Probe::NotYet(format!("{:?}", execution.phase())),
            // Who suffers may not answer.
            Err(error) => Probe::NotYet(format!("{:?}", error.code())),
        };
        eventually(
            format!("{} has ended", accepted.id),
            super::nightly::END,
            look,
        )
        .await
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
