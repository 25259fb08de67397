//! Starting an environment, until it is proven to do work.

use std::{
    fs, io,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Builder, Component, Environment, Inner, Model, OwnTemporal, Part,
    builder::Begins,
    payload_key,
    settings::{self, common, developer, overridden},
};
use crate::{
    harness::{
        Temporal,
        budget::START,
        edge::{Link, ScriptLlm},
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

/// How an environment and its test reach Temporal.
struct Way {
    link: Option<Link>,
    own_temporal: Option<OwnTemporal>,
    temporal: Option<Temporal>,
}

impl Builder {
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
        let model = self.model(number, &folder)?;
        let namespace = unique_namespace(test.name());
        let start = Instant::now();
        let own = self.own_temporal(&folder).map_err(prepared)?;
        if let Some(own) = &own {
            own.start().await?;
        }
        let address = match &own {
            Some(own) => own.address(),
            None => test.session().temporal.address.clone(),
        };
        let temporal = match &self.temporal_address {
            Some(_) => None,
            None => Some(Temporal::create(&address, &namespace, &payload_key(&folder)).await?),
        };
        let way = Way {
            link: self.link(&address).map_err(prepared)?,
            own_temporal: own,
            temporal,
        };
        let environment = self.assemble(number, folder.clone(), namespace, model, way);
        // From here on, teardown stops what was started and keeps what it wrote.
        test.adopt(environment.clone());
        self.start_parts(&environment, port).await?;
        let pinging = Instant::now();
        let ping = if self.reaches_temporal() {
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

    /// Whether the parts have their Temporal from the start.
    fn reaches_temporal(&self) -> bool {
        self.temporal_address.is_none() && self.link != Some(Begins::Cut)
    }

    fn own_temporal(&self, folder: &Utf8Path) -> io::Result<Option<OwnTemporal>> {
        let cli = &self.test.session().temporal.cli;
        let variables = common(&self.test, &folder.join("home"));
        self.own_temporal
            .then(|| OwnTemporal::new(cli, folder, variables))
            .transpose()
    }

    fn link(&self, temporal: &str) -> io::Result<Option<Link>> {
        let Some(begins) = self.link else {
            return Ok(None);
        };
        let link = Link::to(temporal)?;
        if begins == Begins::Open {
            link.restore()?;
        }
        Ok(Some(link))
    }

    fn model(&self, number: usize, folder: &Utf8Path) -> Result<Model, StartError> {
        if self.real_model {
            let shared = self.test.session().llm.clone();
            return shared.map(Model::Real).ok_or(StartError::NoModel);
        }
        let journal = self.test.llm_journal().saying("environment", number);
        let llm = ScriptLlm::start(journal).map_err(|source| StartError::Prepare {
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
        way: Way,
    ) -> Environment {
        let stack = &self.test.session().stack;
        let with_temporal = self.reaches_temporal();
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
            link: way.link,
            own_temporal: way.own_temporal,
            temporal: way.temporal.map_or_else(OnceLock::new, OnceLock::from),
            api: OnceLock::new(),
        }))
    }

    /// Starts every part at the same time: none needs another one to become ready, and the runners are
    /// told where the server will be.
    async fn start_parts(&self, environment: &Environment, port: u16) -> Result<(), ServiceError> {
        let session = self.test.session();
        let linked = environment.0.link.as_ref().map(Link::address);
        let own = environment.own_temporal_if_any().map(OwnTemporal::address);
        let temporal = self.temporal_address.clone().or(linked).or(own);
        let temporal = temporal.unwrap_or_else(|| session.temporal.address.clone());
        let mut shared = common(&self.test, &environment.home());
        shared.extend(settings::every_part(&temporal, environment.namespace()));
        let starts = environment.parts().map(async |part| {
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
            let variables = overridden(variables, given.map_or(&[], Vec::as_slice));
            let waits_for_temporal = part.component() != Component::Server;
            if waits_for_temporal && !self.reaches_temporal() {
                return part.launch(variables).await;
            }
            part.start(variables).await.map(drop)
        });
        futures_util::future::try_join_all(starts).await.map(drop)
    }

    fn record(&self, environment: &Environment, took: Duration, ping: Option<Duration>) {
        let parts = environment.parts().filter_map(|part| {
            let ready = part.was_ready()?;
            Some(PartRecord {
                component: ready.component,
                pid: ready.pid,
                address: ready.address,
                version: ready.version,
                build: ready.build,
                program: part.program().to_owned(),
            })
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
