//! Putting an environment together and starting it.

use std::{
    collections::BTreeMap,
    fs, io,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Component, Environment, Inner, Model, Part, payload_key,
    settings::{self, Variables, common, developer, overridden},
};
use crate::{
    harness::{
        Temporal, Test,
        budget::START,
        edge::{Reply, ScriptLlm},
        evidence,
        record::{EnvironmentRecord, PartRecord},
        temporal::unique_namespace,
    },
    services::free_port,
    supervise::ServiceError,
};

/// A ping that takes longer, on a machine that is not busy, was lost on its way at least once.
const SLOW_PING: Duration = Duration::from_secs(4);

/// An environment did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its folders, its scripted model, or its port could not be had.
    #[error("failed to prepare {folder}: {source}")]
    Prepare {
        /// The environment's folder.
        folder: Utf8PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Temporal did not give it a namespace.
    #[error(transparent)]
    Temporal(#[from] crate::harness::TemporalError),
    /// A process did not become ready.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Everything runs, but a queue does no work.
    #[error("the parts run, but {0}")]
    Ping(#[from] stigmer_temporal::PingError),
    /// A real model was asked for, and the run has none.
    #[error("this run has no model (see --llm)")]
    NoModel,
}

/// An environment to be started. Without further calls it has a server, both runners, and a scripted
/// model that refuses every request.
pub struct Builder {
    test: Test,
    workflow_runner: bool,
    agent_runner: bool,
    real_model: bool,
    answer: Option<Reply>,
    temporal_address: Option<String>,
    settings: BTreeMap<&'static str, Variables>,
    programs: BTreeMap<&'static str, Utf8PathBuf>,
}

impl Builder {
    pub(crate) fn new(test: Test) -> Self {
        Self {
            test,
            workflow_runner: true,
            agent_runner: true,
            real_model: false,
            answer: None,
            temporal_address: None,
            settings: BTreeMap::new(),
            programs: BTreeMap::new(),
        }
    }

    /// Leaves the agent-runner out.
    #[must_use]
    pub fn without_agent_runner(mut self) -> Self {
        self.agent_runner = false;
        self
    }

    /// Leaves the workflow-runner out.
    #[must_use]
    pub fn without_workflow_runner(mut self) -> Self {
        self.workflow_runner = false;
        self
    }

    /// Leaves both runners out, for what the server does alone.
    #[must_use]
    pub fn without_runners(self) -> Self {
        self.without_agent_runner().without_workflow_runner()
    }

    /// Talks to the run's model instead of a scripted one, in a way that makes its answers short and,
    /// as far as the model's server allows, the same each time.
    #[must_use]
    pub fn with_real_model(mut self) -> Self {
        self.real_model = true;
        self
    }

    /// Answers every request to the scripted model that no expectation fits with `text`.
    #[must_use]
    pub fn answering(mut self, text: &str) -> Self {
        self.answer = Some(Reply::text(text));
        self
    }

    /// Sets a variable of one part.
    #[must_use]
    pub fn setting(
        mut self,
        component: Component,
        variable: &str,
        value: impl Into<String>,
    ) -> Self {
        self.settings
            .entry(component.name())
            .or_default()
            .push((variable.to_owned(), value.into()));
        self
    }

    /// Starts `program` in place of the stack's own.
    #[must_use]
    pub fn with_program(mut self, component: Component, program: &str) -> Self {
        self.programs.insert(component.name(), program.into());
        self
    }

    /// Gives the server `address` in place of Temporal's. There are no runners then, since they
    /// could not become ready.
    #[must_use]
    pub fn with_temporal_at(mut self, address: impl Into<String>) -> Self {
        self.temporal_address = Some(address.into());
        self.without_runners()
    }

    /// Starts it and proves that it does its work.
    ///
    /// # Errors
    ///
    /// When a part does not become ready within START; the text says what was seen last and how the
    /// log ends.
    pub async fn start(self) -> Result<Environment, StartError> {
        let test = self.test.clone();
        let number = test.next_environment();
        let folder = test.folder().join(format!("env-{number}"));
        let prepared = |source| StartError::Prepare {
            folder: folder.clone(),
            source,
        };
        for sub in ["home", "data", "work"] {
            fs::create_dir_all(folder.join(sub)).map_err(prepared)?;
        }
        let port = free_port().map_err(prepared)?;
        let model = self.model(&folder).await?;
        let namespace = unique_namespace(test.name());
        let start = Instant::now();
        let temporal = match &self.temporal_address {
            Some(_) => None,
            None => {
                let address = &test.session().temporal.address;
                Some(Temporal::create(address, &namespace, &payload_key(&folder)).await?)
            }
        };
        let environment = self.assemble(number, folder, namespace, model, temporal);
        // From here on, teardown stops what was started and keeps what it wrote.
        test.adopt(environment.clone());
        self.start_parts(&environment, port).await?;
        let pinging = Instant::now();
        let ping = if self.temporal_address.is_none() {
            environment
                .ping(START.limit.saturating_sub(start.elapsed()))
                .await?;
            let took = pinging.elapsed();
            if took > SLOW_PING {
                // The histories of the pings say which step took so long.
                evidence::keep_histories(&test, environment.temporal(), true).await;
            }
            Some(took)
        } else {
            None
        };
        self.record(&environment, start.elapsed(), ping);
        Ok(environment)
    }

    async fn model(&self, folder: &Utf8Path) -> Result<Model, StartError> {
        if self.real_model {
            let shared = self.test.session().llm.clone();
            return shared.map(Model::Real).ok_or(StartError::NoModel);
        }
        let llm = ScriptLlm::start(self.test.llm_journal())
            .await
            .map_err(|source| StartError::Prepare {
                folder: folder.to_owned(),
                source,
            })?;
        if let Some(answer) = &self.answer {
            llm.answer_any(answer.clone());
        }
        Ok(Model::Scripted(llm))
    }

    fn assemble(
        &self,
        number: usize,
        folder: Utf8PathBuf,
        namespace: String,
        model: Model,
        temporal: Option<Temporal>,
    ) -> Environment {
        let stack = &self.test.session().stack;
        let with_temporal = temporal.is_some();
        let part = |component: Component, program: &Utf8PathBuf| {
            let program = self.programs.get(component.name()).unwrap_or(program);
            Part::new(component, program, &folder, with_temporal)
        };
        let server = part(Component::Server, &stack.server);
        let workflow_runner = self
            .workflow_runner
            .then(|| part(Component::WorkflowRunner, &stack.workflow_runner));
        let agent_runner = self
            .agent_runner
            .then(|| part(Component::AgentRunner, &stack.agent_runner));
        let mut cli = common(&self.test, &folder.join("home"));
        cli.extend(developer(self.test.session()));
        Environment(Arc::new(Inner {
            test: self.test.clone(),
            folder,
            namespace,
            model,
            server,
            workflow_runner,
            agent_runner,
            cli,
            number,
            hub: OnceLock::new(),
            temporal: temporal.map_or_else(OnceLock::new, OnceLock::from),
            api: OnceLock::new(),
        }))
    }

    /// Starts every part at the same time: none needs another one to become ready, and the runners are
    /// told where the server will be.
    async fn start_parts(&self, environment: &Environment, port: u16) -> Result<(), ServiceError> {
        let session = self.test.session();
        let temporal = self
            .temporal_address
            .as_ref()
            .unwrap_or(&session.temporal.address);
        let mut shared = common(&self.test, &environment.home());
        shared.extend(settings::every_part(temporal, environment.namespace()));
        let starts = environment.parts().map(|part| {
            let own = match part.component() {
                Component::Server => settings::server(environment.folder(), port),
                Component::WorkflowRunner => settings::runner(port),
                Component::AgentRunner => {
                    let model = environment.0.model.settings();
                    settings::runner(port).into_iter().chain(model).collect()
                }
            };
            let given = self.settings.get(part.component().name());
            let variables = shared.iter().cloned().chain(own).collect();
            part.start(overridden(variables, given.map_or(&[], Vec::as_slice)))
        });
        futures_util::future::try_join_all(starts).await.map(drop)
    }

    fn record(&self, environment: &Environment, took: Duration, ping: Option<Duration>) {
        let parts = environment.parts().map(|part| {
            let ready = part.ready();
            PartRecord {
                component: ready.component,
                pid: ready.pid,
                address: ready.address,
                version: ready.version,
                build: ready.build,
                program: part.program().to_owned(),
            }
        });
        let record = EnvironmentRecord {
            directory: environment.folder().to_owned(),
            namespace: environment.namespace().to_owned(),
            start_ms: whole_ms(took),
            ping_ms: ping.map(whole_ms),
            stop_ms: None,
            parts: parts.collect(),
        };
        self.test.update(|test| test.environments.push(record));
        self.test.spend(START, "the environment does work", took);
        self.test.begin_body();
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
