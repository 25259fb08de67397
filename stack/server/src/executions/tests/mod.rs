mod accepting;
mod sweeping;
mod watching;

use std::{collections::HashMap, sync::Arc, time::Duration};

use stigmer_api::{
    Resource as _,
    agent::{Agent, AgentSpec},
    agent_execution::{AgentExecution, AgentExecutionSpec, AgentExecutionStatus},
    execution_context::ExecutionValue,
    session::Session,
};
use tokio::time::timeout;

use super::*;
use crate::{
    kinds::Kind,
    pipeline::{self, StepError},
    state::State,
    testing::{FakeTemporal, TestState},
};

/// No test waits longer for anything.
const LIMIT: Duration = Duration::from_secs(10);

/// A state over a real store and a Temporal that does as told.
struct Bench {
    state: State,
    temporal: Arc<FakeTemporal>,
    agent_id: String,
    test: TestState,
}

impl Bench {
    async fn new() -> Self {
        let test = TestState::new();
        let state = test.state.clone();
        let mut agent = Agent::envelope();
        agent.metadata_mut().name = "reviewer".to_owned();
        agent.metadata_mut().owner_scope = 2;
        agent.spec = Some(AgentSpec {
            instructions: "Review the code.".to_owned(),
            ..Default::default()
        });
        let agent = state
            .store
            .write(move |tx| pipeline::create(tx, agent))
            .await;
        let bench = Self {
            state,
            temporal: Arc::default(),
            agent_id: agent.expect("the agent is made").id().to_owned(),
            test,
        };
        bench.connect();
        bench
    }

    fn connect(&self) {
        self.test
            .connection
            .send_replace(Some(self.temporal.clone()));
    }

    fn request(&self) -> AgentExecution {
        let mut execution = AgentExecution::envelope();
        execution.metadata_mut().name = "execution-1".to_owned();
        let secret = ExecutionValue {
            value: "marker".to_owned(),
            is_secret: true,
        };
        execution.spec = Some(AgentExecutionSpec {
            agent_id: self.agent_id.clone(),
            message: "hello".to_owned(),
            runtime_env: HashMap::from([("TOKEN".to_owned(), secret)]),
            ..Default::default()
        });
        execution
    }

    /// The id of an execution that was accepted and waits.
    async fn pending(&self) -> String {
        let accepted = accept(&self.state, self.request())
            .await
            .expect("it is accepted");
        accepted.id().to_owned()
    }

    /// The agent executions that were started.
    fn started(&self) -> Vec<AgentExecution> {
        let jobs = self.temporal.started();
        jobs.into_iter()
            .map(|job| match job {
                Job::Agent(execution) => execution,
                other => panic!("an agent execution, got {other:?}"),
            })
            .collect()
    }

    /// Makes Temporal say so of the workflow of an execution.
    fn says(&self, id: &str, state: RunState) {
        self.temporal.says(AgentExecution::workflow_id(id), state);
    }

    async fn report(&self, id: &str, phase: Phase) -> Result<AgentExecution, StepError> {
        let status = AgentExecutionStatus {
            phase: phase.number(),
            ..Default::default()
        };
        update_status(&self.state.store, id.to_owned(), status).await
    }

    async fn read(&self, id: &str) -> AgentExecution {
        let id = id.to_owned();
        let read = self
            .state
            .store
            .read(move |rows| pipeline::get(rows, &id))
            .await;
        read.expect("the execution is stored")
    }

    /// How many there are.
    async fn executions_and_sessions(&self) -> (u64, u64) {
        (
            self.count::<AgentExecution>().await,
            self.count::<Session>().await,
        )
    }

    async fn count<K: Kind>(&self) -> u64 {
        self.state
            .list::<K>(Default::default())
            .await
            .expect("the rows are listed")
            .total
    }
}

/// Waits until `met` holds.
async fn until(what: &str, met: impl AsyncFn() -> bool) {
    let waiting = async {
        while !met().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        timeout(LIMIT, waiting).await.is_ok(),
        "not within {LIMIT:?}: {what}"
    );
}
