//! A private stack for one test: server and runners of its own, with their own HOME, data, ports,
//! and Temporal namespace. Only Temporal and a real model are shared.

mod builder;
mod model;
mod part;
mod ready;
pub(crate) mod settings;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_api::temporal_names::{AGENT_EXECUTION_RUNNER, AGENT_EXECUTION_STIGMER};

use super::{Api, Cli, Store, Temporal, Test, edge::ScriptLlm};
use model::Model;
use settings::Variables;

pub use builder::{Builder, StartError};
pub use part::{Component, Part};

/// A started environment. Clones are handles of the same one.
#[derive(Clone)]
pub struct Environment(Arc<Inner>);

struct Inner {
    test: Test,
    folder: Utf8PathBuf,
    namespace: String,
    model: Model,
    server: Part,
    agent_runner: Option<Part>,
    cli: Variables,
    temporal: OnceLock<Temporal>,
    api: OnceLock<Api>,
}

impl Environment {
    /// The CLI, pointed at this environment's server.
    pub fn cli(&self) -> Cli {
        let session = self.0.test.session();
        let server = ("STIGMER_SERVER_ADDR".to_owned(), self.0.server.address());
        let variables = self.0.cli.iter().cloned().chain([server]).collect();
        Cli::new(
            self.0.test.clone(),
            session.stack.cli.clone(),
            self.work(),
            variables,
        )
    }

    /// The gRPC API of the server.
    ///
    /// # Panics
    ///
    /// When the server was never ready; a started environment's was.
    pub fn api(&self) -> &Api {
        self.0
            .api
            .get_or_init(|| Api::new(&self.0.server.address(), self.0.test.grpc_journal()))
    }

    /// The server's SQLite file.
    pub fn store(&self) -> Store {
        Store::new(self.0.folder.join("data/stigmer.db"))
    }

    /// This environment's namespace in Temporal.
    ///
    /// # Panics
    ///
    /// When the environment was told to use another address in place of Temporal's.
    pub fn temporal(&self) -> &Temporal {
        self.0
            .temporal
            .get()
            .expect("this environment has a namespace in Temporal")
    }

    /// The scripted model.
    ///
    /// # Panics
    ///
    /// When this environment talks to a real one.
    pub fn llm(&self) -> &ScriptLlm {
        self.scripted_model()
            .expect("this environment talks to a real model")
    }

    /// The server.
    pub fn server(&self) -> &Part {
        &self.0.server
    }

    /// The agent-runner.
    ///
    /// # Panics
    ///
    /// When the environment was told to have none.
    pub fn agent_runner(&self) -> &Part {
        self.0
            .agent_runner
            .as_ref()
            .expect("this environment has an agent-runner")
    }

    /// Its processes, the server first.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.0.server).chain(&self.0.agent_runner)
    }

    /// Its folder.
    pub fn folder(&self) -> &Utf8Path {
        &self.0.folder
    }

    /// The HOME of its processes.
    pub fn home(&self) -> Utf8PathBuf {
        self.0.folder.join("home")
    }

    /// The name of its Temporal namespace.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// The test it belongs to.
    pub fn test(&self) -> &Test {
        &self.0.test
    }

    /// Proves that a queue does work: a ping that passes through the server's queue and, if there
    /// is an agent-runner, through its queue.
    ///
    /// # Errors
    ///
    /// When no answer comes within `limit`.
    pub async fn ping(&self, limit: Duration) -> Result<(), stigmer_temporal::PingError> {
        let runner = self
            .0
            .agent_runner
            .as_ref()
            .map(|_| AGENT_EXECUTION_RUNNER.default);
        self.temporal()
            .ping(AGENT_EXECUTION_STIGMER.default, runner, limit)
            .await
    }

    /// What is known about the state of the environment, one line each, for a time-out's report.
    pub(super) async fn diagnosis(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for part in self.parts() {
            let state = match part.died().await {
                Some(status) => format!("ended ({status})"),
                None => "runs, or was stopped by the test".to_owned(),
            };
            lines.push(format!(
                "{}: {state}; log: {}",
                part.component().name(),
                part.log()
            ));
        }
        if let Some(temporal) = self.0.temporal.get() {
            lines.extend(temporal.pollers_report().await);
        }
        lines
    }

    pub(super) fn scripted_model(&self) -> Option<&ScriptLlm> {
        self.0.model.scripted()
    }

    pub(super) fn temporal_if_any(&self) -> Option<&Temporal> {
        self.0.temporal.get()
    }

    /// An empty folder to run commands in.
    fn work(&self) -> Utf8PathBuf {
        self.0.folder.join("work")
    }
}
