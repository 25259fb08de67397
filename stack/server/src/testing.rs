//! What tests of several modules need.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use camino::Utf8PathBuf;
use stigmer_api::workflow::{WorkflowSpec, serverless::ServerlessWorkflowValidation};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    artifacts::Artifacts,
    executions::{Job, LookupError, Orchestrator, RunState, StartFailure, ValidationFailure},
    state::{Brokers, State},
    store::{Store, Vault},
};

/// A state over files in a folder of its own, without Temporal until `connection` is set.
pub struct TestState {
    pub state: State,
    pub connection: watch::Sender<Option<Arc<dyn Orchestrator>>>,
    _folder: TempDir,
}

impl TestState {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("a UTF-8 path");
        let brokers = Brokers::default();
        let store = Store::open(
            &root.join("stigmer.db"),
            Vault::default(),
            brokers.observers(),
        )
        .expect("the store opens");
        let artifacts = Artifacts::open(&root.join("storage")).expect("the folder is made");
        let (connection, connected) = watch::channel(None);
        let state = State::new(
            store,
            artifacts,
            brokers,
            connected,
            CancellationToken::new(),
        );
        Self {
            state,
            connection,
            _folder: folder,
        }
    }
}

/// A Temporal that does as told, and remembers.
#[derive(Default)]
pub struct FakeTemporal {
    start: Mutex<Option<StartFailure>>,
    states: Mutex<HashMap<String, RunState>>,
    started: Mutex<Vec<Job>>,
    cancelled: Mutex<Vec<String>>,
    cancel_fails: Mutex<bool>,
    validation: Mutex<Option<Result<ServerlessWorkflowValidation, ValidationFailure>>>,
    validated: Mutex<Vec<WorkflowSpec>>,
    polled: Mutex<Vec<String>>,
}

impl FakeTemporal {
    /// Fails every start from now on.
    pub fn refuse(&self, failure: StartFailure) {
        *self.start.lock().unwrap() = Some(failure);
    }

    /// Says so of the workflow with this id.
    pub fn says(&self, workflow_id: String, state: RunState) {
        self.states.lock().unwrap().insert(workflow_id, state);
    }

    /// Fails every cancellation from now on, or none.
    pub fn fail_cancellations(&self, fail: bool) {
        *self.cancel_fails.lock().unwrap() = fail;
    }

    /// Ends every validation from now on like this; until told, specs are not looked at.
    pub fn validates(&self, outcome: Result<ServerlessWorkflowValidation, ValidationFailure>) {
        *self.validation.lock().unwrap() = Some(outcome);
    }

    /// Has a worker poll `queue` from now on.
    pub fn polls(&self, queue: &str) {
        self.polled.lock().unwrap().push(queue.to_owned());
    }

    /// What was started.
    pub fn started(&self) -> Vec<Job> {
        self.started.lock().unwrap().clone()
    }

    /// The ids of the workflows that were cancelled.
    pub fn cancelled(&self) -> Vec<String> {
        self.cancelled.lock().unwrap().clone()
    }

    /// The specs that were validated.
    pub fn validated(&self) -> Vec<WorkflowSpec> {
        self.validated.lock().unwrap().clone()
    }
}

#[tonic::async_trait]
impl Orchestrator for FakeTemporal {
    async fn start(&self, job: Job) -> Result<(), StartFailure> {
        // A start takes its time, in which a caller may leave.
        tokio::task::yield_now().await;
        if let Some(failure) = self.start.lock().unwrap().clone() {
            return Err(failure);
        }
        self.started.lock().unwrap().push(job);
        Ok(())
    }

    async fn state(&self, workflow_id: &str) -> Result<RunState, LookupError> {
        let states = self.states.lock().unwrap();
        states
            .get(workflow_id)
            .cloned()
            .ok_or_else(|| LookupError("nobody said".to_owned()))
    }

    async fn cancel(&self, workflow_id: &str, _reason: &str) -> Result<(), LookupError> {
        if *self.cancel_fails.lock().unwrap() {
            return Err(LookupError("not now".to_owned()));
        }
        self.cancelled.lock().unwrap().push(workflow_id.to_owned());
        Ok(())
    }

    async fn ping(&self, queue: &str) -> Result<(), LookupError> {
        match self
            .polled
            .lock()
            .unwrap()
            .iter()
            .any(|polled| polled == queue)
        {
            true => Ok(()),
            false => Err(LookupError("nobody polls it".to_owned())),
        }
    }

    async fn validate(
        &self,
        spec: WorkflowSpec,
    ) -> Result<ServerlessWorkflowValidation, ValidationFailure> {
        self.validated.lock().unwrap().push(spec);
        let outcome = self.validation.lock().unwrap().clone();
        outcome.unwrap_or_else(|| Err(ValidationFailure::Failed("nobody said".to_owned())))
    }
}
