//! Runs one after the other, half of them of an agent and half of a workflow, each looked at.

use serde_json::json;
use stigmer_api::{ApiResourceKind, Resource};
use stigmer_e2e::{
    ensure,
    harness::{
        CheckError, Environment,
        budget::{AGENT, WF},
    },
};

use crate::{given, then};

/// What the model says.
pub const ANSWER: &str = "All is well.";

/// An agent and a workflow of one environment.
pub struct Work {
    env: Environment,
    agent: String,
    workflow: String,
    /// How many executions there are of each.
    pub pairs: usize,
}

impl Work {
    /// Nothing has run yet.
    pub async fn prepare(env: &Environment) -> Result<Self, CheckError> {
        let agent = env
            .api()
            .apply(given::agent("steady", "You stay as you are."))
            .await?;
        let task = given::set("remember", &json!({"answer": ANSWER}));
        let workflow = env.api().apply(given::workflow("steady", &[task])).await?;
        Ok(Self {
            env: env.clone(),
            agent: agent.id().to_owned(),
            workflow: workflow.id().to_owned(),
            pairs: 0,
        })
    }

    /// One run of each, one after the other: both complete with what they are to give.
    pub async fn pair(&mut self) -> Result<(), CheckError> {
        let api = self.env.api();
        self.pairs += 1;
        let name = format!("run-{}", self.pairs);
        let run = given::execution(&name, &self.agent, "How are you?");
        let run = api.create(run).await?;
        then::completed(&self.env, run.id(), AGENT).await?;
        let run = api
            .create(given::workflow_execution(&name, &self.workflow))
            .await?;
        let finished = then::workflow::completed(&self.env, run.id(), WF).await?;
        let output = then::workflow::output(&finished.execution, "remember")?;
        ensure!(output["answer"] == ANSWER, "{name} gave {output}");
        Ok(())
    }

    /// Each run left one record and asked the model once, no more.
    pub fn left_what_it_should(&self) -> Result<(), CheckError> {
        for kind in [
            ApiResourceKind::AgentExecution,
            ApiResourceKind::WorkflowExecution,
        ] {
            let stored = self.env.store().count(kind)?;
            ensure!(
                stored == self.pairs,
                "{} runs, {stored} records of {kind:?}",
                self.pairs
            );
        }
        let asked = self.env.llm().requests().len();
        ensure!(
            asked == self.pairs,
            "{} runs asked the model {asked} times",
            self.pairs
        );
        Ok(())
    }
}
