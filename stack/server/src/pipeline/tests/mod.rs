mod agents;
mod executions;
mod resources;
mod workflows;

use camino::Utf8PathBuf;
use stigmer_api::{
    ApiResourceMetadata, Resource as _,
    agent::{Agent, AgentSpec},
    agent_execution::{AgentExecution, AgentExecutionSpec},
    agent_instance::AgentInstance,
    execution_context::ExecutionValue,
    session::Session,
};
use tempfile::TempDir;
use tonic::{Code, Status};

use super::*;
use crate::store::{Store, Vault};

struct Bench {
    store: Store,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path =
            Utf8PathBuf::from_path_buf(folder.path().join("stigmer.db")).expect("a UTF-8 path");
        Self {
            store: Store::open(&path, Vault::default(), Vec::new()).expect("the store opens"),
            _folder: folder,
        }
    }

    async fn create<K: Kind>(&self, resource: K) -> Result<K, StepError> {
        self.store.write(move |tx| create(tx, resource)).await
    }

    async fn update<K: Kind>(&self, request: K) -> Result<K, StepError> {
        self.store.write(move |tx| update(tx, request)).await
    }

    async fn apply<K: Kind>(&self, request: K) -> Result<K, StepError> {
        self.store.write(move |tx| apply(tx, request)).await
    }

    async fn delete<K: Kind>(&self, id: &str) -> Result<K, StepError> {
        let id = id.to_owned();
        self.store.write(move |tx| delete(tx, &id)).await
    }

    async fn get<K: Kind>(&self, id: &str) -> Result<K, StepError> {
        let id = id.to_owned();
        self.store.read(move |rows| get(rows, &id)).await
    }

    async fn count<K: Kind>(&self) -> u64 {
        let listing = self
            .store
            .read(|rows| rows.list::<K>(&Default::default()))
            .await;
        listing.expect("the rows are listed").total
    }
}

fn agent(name: &str) -> Agent {
    let mut agent = Agent::envelope();
    agent.metadata = Some(ApiResourceMetadata {
        name: name.to_owned(),
        org: "local".to_owned(),
        owner_scope: 2,
        ..Default::default()
    });
    agent.spec = Some(AgentSpec {
        instructions: "Review the code.".to_owned(),
        ..Default::default()
    });
    agent
}

fn execution(agent_id: &str, session_id: &str) -> AgentExecution {
    let mut execution = AgentExecution::envelope();
    execution.metadata_mut().name = "execution-1".to_owned();
    execution.spec = Some(AgentExecutionSpec {
        agent_id: agent_id.to_owned(),
        session_id: session_id.to_owned(),
        message: "hello".to_owned(),
        ..Default::default()
    });
    execution
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, StepError>, code: Code, parts: &[&str]) {
    let status = Status::from(result.expect_err("it is refused"));
    assert_eq!(status.code(), code, "{status:?}");
    for part in parts {
        assert!(
            status.message().contains(part),
            "{part:?} is missing in {:?}",
            status.message()
        );
    }
}

fn default_instance(agent: &Agent) -> &str {
    &agent
        .status
        .as_ref()
        .expect("an agent has a status")
        .default_instance_id
}
