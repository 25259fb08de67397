//! Section 10 of the acceptance list: Temporal is absent, goes, hangs, comes back.

mod absent;
mod gone;
mod names;
mod nightly;
mod stopping;
mod waiting;

use std::time::Instant;

use serde_json::json;
use stigmer_api::{
    Resource, agent::Agent, agent_execution::ExecutionPhase, workflow::Workflow,
    workflow_execution::ExecutionPhase as WorkflowPhase,
};
use stigmer_e2e::{
    harness::{
        Broken, CheckError, Environment, Expectation, Probe, Reply, WaitError,
        budget::{NOWORKER, RECON},
    },
    services::{ServerError, server_answers},
};

use crate::{
    given,
    then::{self, Execution},
};

/// The health service of the server that tells of its Temporal.
const TEMPORAL: &str = "temporal";

/// An agent and a workflow, to be run before and after a fault.
struct Subjects {
    agent: String,
    workflow: String,
}

impl Subjects {
    async fn create(env: &Environment) -> Result<Self, CheckError> {
        let agent: Agent = env
            .api()
            .create(given::agent("helper", "You help whoever asks."))
            .await?;
        let tasks = [given::set("set", &json!({"done": "yes"}))];
        let workflow: Workflow = env.api().create(given::workflow("steps", &tasks)).await?;
        Ok(Self {
            agent: agent.id().to_owned(),
            workflow: workflow.id().to_owned(),
        })
    }

    /// Runs both at the same time, to COMPLETED. `message` is what the agent is asked, and the model
    /// is asked it once.
    async fn complete(&self, env: &Environment, message: &str) -> Result<(), CheckError> {
        env.llm().expect(Expectation::message_containing(
            message,
            Reply::text("Done."),
        ));
        let api = env.api();
        let (agent, workflow) = tokio::try_join!(
            api.create(given::execution(
                &format!("ask {message}"),
                &self.agent,
                message
            )),
            api.create(given::workflow_execution(
                &format!("go {message}"),
                &self.workflow
            )),
        )?;
        tokio::try_join!(
            then::completed(env, agent.id(), RECON),
            then::workflow::completed(env, workflow.id(), RECON),
        )?;
        Ok(())
    }
}

/// Waits until the server says that it does its work with Temporal.
pub async fn reconnected(env: &Environment) -> Result<(), WaitError> {
    let address = env.server().address();
    let look = async || match server_answers(&address, true).await {
        Ok(()) => Probe::Done(()),
        Err(error) => Probe::NotYet(error.to_string()),
    };
    let awaited = "the server has its Temporal again";
    env.test().eventually(awaited, RECON, look).await
}

/// Waits until the server says that it serves, and that it has no Temporal.
async fn degraded(env: &Environment) -> Result<(), WaitError> {
    let address = env.server().address();
    let look = async || match server_answers(&address, true).await {
        Err(ServerError::NotServing { service, .. }) if service == TEMPORAL => Probe::Done(()),
        Err(error) => Probe::NotYet(error.to_string()),
        Ok(()) => Probe::NotYet("it says that all is well".to_owned()),
    };
    let awaited = "the server has seen that Temporal is gone";
    env.test().eventually(awaited, RECON, look).await
}

/// From `back` on, when Temporal came back, an agent and a workflow complete within RECON, and then no
/// execution is left that has not ended.
async fn recovers(
    env: &Environment,
    subjects: &Subjects,
    message: &str,
    back: Instant,
) -> Result<(), CheckError> {
    reconnected(env).await?;
    subjects.complete(env, message).await?;
    let used = back.elapsed();
    env.test()
        .within(RECON, "the first executions completed", used)?;
    swept(env).await
}

/// No execution is left that has not ended.
async fn swept(env: &Environment) -> Result<(), CheckError> {
    let look = async || match unfinished(env).await {
        Ok(left) => given::none_of(left.into_iter()),
        Err(error) => Probe::NotYet(error.to_string()),
    };
    let awaited = "every execution has ended";
    Ok(env.test().eventually(awaited, NOWORKER, look).await?)
}

async fn unfinished(env: &Environment) -> Result<Vec<String>, CheckError> {
    let api = env.api();
    let agents = api.agent_executions(ExecutionPhase::Unspecified).await?;
    let workflows = api.workflow_executions(WorkflowPhase::Unspecified).await?;
    let agents = agents.iter().map(|it| (it.id(), it.phase()));
    let workflows = workflows.iter().map(|it| (it.id(), it.phase()));
    Ok(agents
        .chain(workflows)
        .filter(|(_, phase)| *phase <= ExecutionPhase::ExecutionInProgress)
        .map(|(id, phase)| format!("{id} is {phase:?}"))
        .collect())
}

/// The processes of `env`; they must be the same after a fault.
fn processes(env: &Environment) -> Result<Vec<u32>, Broken> {
    let parts = env.parts().map(|part| {
        let pid = part.pid();
        match std::fs::exists(format!("/proc/{pid}")) {
            Ok(true) => Ok(pid),
            _ => Err(Broken(format!(
                "{:?} (process {pid}) has ended",
                part.component()
            ))),
        }
    });
    parts.collect()
}
