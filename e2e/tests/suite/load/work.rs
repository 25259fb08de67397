//! What is executed under load, on the stack and written directly.

use serde_json::json;
use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, ExecutionPhase},
    workflow::Workflow,
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{CallError, CheckError, Environment};
use stigmer_e2e_plan::Mix;

use crate::{
    given,
    speed::nightly::direct::{Direct, Shape},
    then::{Execution, is_over},
};

/// One execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Agent,
    Workflow,
}

/// What execution `n` of a mix is.
pub fn kind_of(mix: Mix, n: usize) -> Kind {
    match (mix, n % 2) {
        (Mix::Agents, _) | (Mix::Mixed, 0) => Kind::Agent,
        (Mix::Workflows, _) | (Mix::Mixed, _) => Kind::Workflow,
    }
}

/// An agent and a workflow of three SET tasks, and their bare counterparts.
pub struct Work {
    env: Environment,
    agent: String,
    workflow: String,
    direct: Direct,
}

impl Work {
    /// Applies them, and starts a worker for the counterparts.
    pub async fn prepare(env: &Environment) -> Result<Self, CheckError> {
        let tasks: Vec<_> = (1..=3)
            .map(|step| given::set(&format!("step{step}"), &json!({"value": step.to_string()})))
            .collect();
        let workflow: Workflow = env
            .api()
            .apply(given::workflow("three-sets", &tasks))
            .await?;
        let agent = given::agent("quick", "Answer in one word.");
        let agent: Agent = env.api().apply(agent).await?;
        Ok(Self {
            env: env.clone(),
            agent: agent.id().to_owned(),
            workflow: workflow.id().to_owned(),
            direct: Direct::start(env).await?,
        })
    }

    /// Has an execution accepted; returns its id.
    pub async fn begin(&self, kind: Kind, name: &str) -> Result<String, CallError> {
        let api = self.env.api();
        Ok(match kind {
            Kind::Agent => {
                let execution = given::execution(name, &self.agent, "Two and two?");
                api.create(execution).await?.id().to_owned()
            }
            Kind::Workflow => {
                let execution = given::workflow_execution(name, &self.workflow);
                api.create(execution).await?.id().to_owned()
            }
        })
    }

    /// Follows an execution to its end, and says whether it is COMPLETED.
    pub async fn completed(&self, kind: Kind, id: &str) -> Result<bool, CallError> {
        match kind {
            Kind::Agent => self.followed::<AgentExecution>(id).await,
            Kind::Workflow => self.followed::<WorkflowExecution>(id).await,
        }
    }

    async fn followed<E: Execution>(&self, id: &str) -> Result<bool, CallError> {
        let mut watch = self.env.api().subscribe::<E>(id).await?;
        while let Some(snapshot) = watch.next().await? {
            if is_over(&snapshot.resource) {
                return Ok(snapshot.resource.phase() == ExecutionPhase::ExecutionCompleted);
            }
        }
        Ok(false)
    }

    /// Runs the bare counterpart: for an agent a workflow with one activity, for a workflow one that keeps
    /// its steps to itself.
    pub async fn directly(&self, kind: Kind, id: &str) -> Result<(), CheckError> {
        let shape = match kind {
            Kind::Agent => Shape::Calling,
            Kind::Workflow => Shape::Bare,
        };
        Ok(self.direct.run(id, shape).await?)
    }

    /// Stops the worker of the counterparts.
    pub async fn stop(self) -> Result<(), CheckError> {
        Ok(self.direct.stop().await?)
    }
}
