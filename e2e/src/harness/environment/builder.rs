//! Putting an environment together and starting it.

use std::{
    collections::BTreeMap,
    fs, io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Component, Environment, Inner, Model, Part,
    settings::{Variables, common, developer, overridden, pairs},
};
use crate::{
    harness::{
        Temporal, Test,
        budget::START,
        edge::{Reply, ScriptLlm},
        record::{EnvironmentRecord, PartRecord, function_name},
    },
    supervise::ServiceError,
};

/// A cached prompt changes what llama.cpp answers, even at temperature 0; other servers ignore it.
const STEADY: &str = r#"{"temperature": 0, "seed": 7, "cache_prompt": false}"#;

/// The longest answer of a real model, in tokens: small models like to go on.
const SHORT: u32 = 64;

/// An environment did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its folders or its scripted model could not be made.
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

/// An environment to be started. Without further calls it has a server, an agent-runner, and a
/// scripted model that refuses every request.
pub struct Builder {
    test: Test,
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

    /// Gives the parts `address` in place of Temporal's. There is no agent-runner then, since it
    /// could not become ready.
    #[must_use]
    pub fn with_temporal_at(mut self, address: impl Into<String>) -> Self {
        self.temporal_address = Some(address.into());
        self.without_agent_runner()
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
        let model = self.model().await.map_err(prepared)?;
        let namespace = namespace(&test);
        let start = Instant::now();
        let temporal = match &self.temporal_address {
            Some(_) => None,
            None => Some(Temporal::create(&test.session().temporal.address, &namespace).await?),
        };
        let environment = self.assemble(folder, namespace, model, temporal);
        // From here on, teardown stops what was started and keeps what it wrote.
        test.adopt(environment.clone());
        self.start_parts(&environment).await?;
        if self.temporal_address.is_none() {
            environment
                .ping(START.limit.saturating_sub(start.elapsed()))
                .await?;
        }
        self.record(&environment, start.elapsed());
        Ok(environment)
    }

    async fn model(&self) -> io::Result<Model> {
        if self.real_model {
            return Ok(Model::Real);
        }
        let llm = ScriptLlm::start(self.test.llm_journal()).await?;
        if let Some(answer) = &self.answer {
            llm.answer_any(answer.clone());
        }
        Ok(Model::Scripted(llm))
    }

    fn assemble(
        &self,
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
            agent_runner,
            cli,
            temporal: temporal.map_or_else(OnceLock::new, OnceLock::from),
            api: OnceLock::new(),
        }))
    }

    async fn start_parts(&self, environment: &Environment) -> Result<(), StartError> {
        let session = self.test.session();
        let mut shared = common(&self.test, &environment.home());
        let address = self
            .temporal_address
            .clone()
            .unwrap_or_else(|| session.temporal.address.clone());
        shared.extend(pairs([
            ("LOG_LEVEL", "info".to_owned()),
            ("RUST_BACKTRACE", "1".to_owned()),
            ("TEMPORAL_NAMESPACE", environment.namespace().to_owned()),
            ("TEMPORAL_SERVICE_ADDRESS", address),
        ]));
        let server = environment
            .server()
            .start(self.with_overrides(
                Component::Server,
                shared.clone(),
                server(environment.folder()),
            ))
            .await?;
        let Some(runner) = &environment.0.agent_runner else {
            return Ok(());
        };
        let endpoint = server.address.unwrap_or_default();
        let own = self.runner_settings(environment, endpoint)?;
        runner
            .start(self.with_overrides(Component::AgentRunner, shared, own))
            .await?;
        Ok(())
    }

    fn with_overrides(
        &self,
        component: Component,
        mut shared: Variables,
        own: Variables,
    ) -> Variables {
        shared.extend(own);
        overridden(
            shared,
            self.settings
                .get(component.name())
                .map_or(&[][..], Vec::as_slice),
        )
    }

    fn runner_settings(
        &self,
        environment: &Environment,
        endpoint: String,
    ) -> Result<Variables, StartError> {
        let (base_url, model) = match environment.scripted_model() {
            Some(llm) => (llm.base_url().to_owned(), llm.model().to_owned()),
            None => {
                let llm = self
                    .test
                    .session()
                    .llm
                    .as_ref()
                    .ok_or(StartError::NoModel)?;
                (llm.base_url.clone(), llm.model.clone())
            }
        };
        let mut settings = pairs([
            ("STIGMER_BACKEND_ENDPOINT", endpoint),
            ("STIGMER_LLM_BASE_URL", base_url),
            ("STIGMER_LLM_MODEL", model),
        ]);
        if self.real_model {
            settings.extend(pairs([
                ("STIGMER_LLM_EXTRA_BODY", STEADY.to_owned()),
                ("STIGMER_LLM_MAX_TOKENS", SHORT.to_string()),
            ]));
        }
        Ok(settings)
    }

    fn record(&self, environment: &Environment, took: Duration) {
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
            start_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            stop_ms: None,
            parts: parts.collect(),
        };
        self.test.update(|test| test.environments.push(record));
        self.test.spend(START, "the environment does work", took);
        self.test.begin_body();
    }
}

fn server(folder: &Utf8Path) -> Variables {
    pairs([
        ("GRPC_HOST", "127.0.0.1".to_owned()),
        ("GRPC_PORT", "0".to_owned()),
        ("DB_PATH", folder.join("data/stigmer.db").to_string()),
        ("STORAGE_PATH", folder.join("data/storage").to_string()),
    ])
}

/// A name that no other environment has, be it of an earlier run against the same Temporal.
fn namespace(test: &Test) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = jiff::Timestamp::now().as_millisecond();
    let function = function_name(test.name());
    let function = function
        .char_indices()
        .nth(60)
        .map_or(function, |(end, _)| &function[..end]);
    format!("{function}-{now:x}-{}-{number}", std::process::id())
}
