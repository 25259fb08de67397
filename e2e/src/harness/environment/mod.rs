//! A private stack for one test: server and runners of its own, with their own HOME, data, ports,
//! and Temporal namespace. Only Temporal and a real model are shared.

mod builder;
mod model;
mod own_model;
mod own_temporal;
mod part;
mod ready;
pub(crate) mod settings;
mod start;
mod working;

use std::sync::{Arc, OnceLock};

use super::{
    Api, Cli, Store, Temporal, Test,
    edge::{Hub, Link, Llm, ModelOrigin, ScriptLlm},
};
use camino::{Utf8Path, Utf8PathBuf};
use settings::Variables;

pub use builder::Builder;
pub use own_model::OwnModel;
pub use own_temporal::OwnTemporal;
pub use part::{Component, Part};
pub use start::StartError;

/// A started environment. Clones are handles of the same one.
#[derive(Clone)]
pub struct Environment(Arc<Inner>);

struct Inner {
    test: Test,
    folder: Utf8PathBuf,
    namespace: String,
    llm: Llm,
    own_model: Option<OwnModel>,
    server: Part,
    workflow_runner: Option<Part>,
    agent_runner: Option<Part>,
    more_runners: Vec<Part>,
    cli: Variables,
    number: usize,
    hub: OnceLock<Hub>,
    link: Option<Link>,
    server_link: Option<Link>,
    own_temporal: Option<OwnTemporal>,
    temporal_address: String,
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

    /// Where that Temporal is, `host:port`; the way of the parts to it may be another.
    pub fn temporal_address(&self) -> &str {
        &self.0.temporal_address
    }

    /// The scripted model.
    ///
    /// # Panics
    ///
    /// When this environment talks to a real one.
    pub fn llm(&self) -> &ScriptLlm {
        self.0
            .llm
            .script()
            .expect("this environment talks to a real model")
    }

    /// Which model answers, or answered when it was recorded.
    ///
    /// # Panics
    ///
    /// When the test answers in its place.
    pub fn model(&self) -> &ModelOrigin {
        self.0
            .llm
            .origin()
            .expect("this environment talks to a real model, or to a recorded one")
    }

    /// The model of this environment alone.
    ///
    /// # Panics
    ///
    /// When the environment was not told to have one.
    pub fn own_model(&self) -> &OwnModel {
        self.own_model_if_any()
            .expect("this environment was started with a model of its own")
    }

    /// The hub, which stands in for every outside host. It is started when it is first asked for.
    ///
    /// # Panics
    ///
    /// When the system has no free port.
    pub fn hub(&self) -> &Hub {
        self.0.hub.get_or_init(|| {
            let journal = self.0.test.hub_journal();
            Hub::start(journal.saying("environment", self.0.number))
                .expect("the system has a free port and starts a thread")
        })
    }

    /// The Temporal of this environment alone.
    ///
    /// # Panics
    ///
    /// When the environment was not told to have one.
    pub fn own_temporal(&self) -> &OwnTemporal {
        self.own_temporal_if_any()
            .expect("this environment was started with a Temporal of its own")
    }

    /// The way of the parts to Temporal.
    ///
    /// # Panics
    ///
    /// When the environment was not told to have a link.
    pub fn link(&self) -> &Link {
        self.0
            .link
            .as_ref()
            .expect("this environment was started over a link")
    }

    /// The way of the runners to the server.
    ///
    /// # Panics
    ///
    /// When the environment was not told to have a link there.
    pub fn server_link(&self) -> &Link {
        self.0
            .server_link
            .as_ref()
            .expect("this environment's runners reach the server over a link")
    }

    /// The links there are, by what their calls are in the record of the test.
    pub(super) fn links(&self) -> impl Iterator<Item = (&'static str, &Link)> {
        let temporal = self.0.link.iter().map(|link| ("calls_to_temporal", link));
        let server = self.0.server_link.iter();
        temporal.chain(server.map(|link| ("calls_to_server", link)))
    }

    /// The server.
    pub fn server(&self) -> &Part {
        &self.0.server
    }

    /// The workflow-runner.
    ///
    /// # Panics
    ///
    /// When the environment was told to have none.
    pub fn workflow_runner(&self) -> &Part {
        self.0
            .workflow_runner
            .as_ref()
            .expect("this environment has a workflow-runner")
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
        std::iter::once(&self.0.server).chain(self.runners())
    }

    pub(super) fn runners(&self) -> impl Iterator<Item = &Part> {
        let first = self.0.workflow_runner.iter().chain(&self.0.agent_runner);
        first.chain(&self.0.more_runners)
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

    /// What is known about the state of the environment, one line each, for a time-out's report.
    pub(super) async fn diagnosis(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for part in self.parts() {
            let state = match part.died().await {
                Some(status) => format!("ended ({status})"),
                None => "runs, or was stopped by the test".to_owned(),
            };
            lines.push(format!("{}: {state}; log: {}", part.name(), part.log()));
        }
        if let Some(temporal) = self.0.temporal.get() {
            lines.extend(temporal.pollers_report().await);
        }
        lines
    }

    pub(super) fn llm_edge(&self) -> &Llm {
        &self.0.llm
    }

    /// Whether its server can be restarted now and be as ready as before: it runs, and its Temporal is
    /// there for sure.
    pub(super) async fn survives_restarts(&self) -> bool {
        let shared = self.0.link.is_none() && self.0.own_temporal.is_none();
        shared
            && self.0.temporal.get().is_some()
            && self.0.server.was_ready().is_some()
            && self.0.server.runs().await
    }

    /// The key of its payloads, which must not be kept with them.
    pub(super) fn payload_key(&self) -> Utf8PathBuf {
        payload_key(&self.0.folder)
    }

    pub(super) fn hub_if_any(&self) -> Option<&Hub> {
        self.0.hub.get()
    }

    pub(super) fn own_model_if_any(&self) -> Option<&OwnModel> {
        self.0.own_model.as_ref()
    }

    pub(super) fn own_temporal_if_any(&self) -> Option<&OwnTemporal> {
        self.0.own_temporal.as_ref()
    }

    pub(super) fn temporal_if_any(&self) -> Option<&Temporal> {
        self.0.temporal.get()
    }

    /// An empty folder to run commands in.
    fn work(&self) -> Utf8PathBuf {
        self.0.folder.join("work")
    }
}

/// Where the parts of the environment in `folder` look for the key of their payloads, unless told
/// otherwise.
fn payload_key(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("home/.stigmer/payload.key")
}
