//! Starting an environment, until it is proven to do work.

use std::{
    fs, io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use stigmer_e2e_plan::ContainerPart;
use stigmer_process::NO_VERSION_CHECK;

use super::{
    Builder, Component, Environment, Inner, OwnModel, OwnTemporal, Part,
    builder::Begins,
    model::{self, ModelChoice},
    part::numbered,
    payload_key,
    settings::{self, common, developer, overridden},
};
use crate::{
    containers::Place,
    harness::{
        NOBODY, Temporal, WaitError,
        budget::{Budget, START},
        edge::{Link, Llm, LlmError},
        record::{EnvironmentRecord, PartRecord},
        temporal::unique_namespace,
    },
    supervise::ServiceError,
};

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
    /// Everything runs, but nobody waits for the tasks of a queue.
    #[error("the parts run, but {0}")]
    NotPolled(#[from] WaitError),
    /// Everything is there, but a bare workflow does not come back.
    #[error("the parts run, but {0}")]
    Ping(#[from] stigmer_temporal::PingError),
    /// A real model was asked for, and the run has none.
    #[error("this run has no model (see --llm)")]
    NoModel,
    /// The model of the environment's own did not start.
    #[error("the environment's own model did not start: {0:#}")]
    OwnModel(anyhow::Error),
    /// The run asks a server of somebody else.
    #[error("a run with --server starts no stack")]
    ServerGiven,
    /// The edge to the model did not start.
    #[error(transparent)]
    Llm(#[from] LlmError),
}

/// How an environment and its test reach Temporal.
struct Way {
    link: Option<Link>,
    server_link: Option<Link>,
    own_temporal: Option<OwnTemporal>,
    /// Temporal itself, whatever is in between.
    address: String,
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
        if test.session().server.is_some() {
            return Err(StartError::ServerGiven);
        }
        let number = test.next_environment();
        let folder = test.folder().join(format!("env-{number}"));
        let prepared = |source| StartError::Prepare {
            folder: folder.clone(),
            source,
        };
        for sub in ["home", "data", "work"] {
            fs::create_dir_all(folder.join(sub)).map_err(prepared)?;
        }
        let containers = test.session().containers.as_ref();
        let give = || containers.map_or(Ok(()), |it| it.give(&folder));
        give().map_err(prepared)?;
        let own_model = self.own_model(&folder)?;
        let llm = self.llm(number, own_model.as_ref()).await?;
        let remote = self.remote_temporal.as_ref();
        let given = remote.and_then(|remote| remote.namespace.clone());
        let namespace = given
            .clone()
            .unwrap_or_else(|| unique_namespace(test.name()));
        let start = Instant::now();
        let own = self.own_temporal(number, &folder).map_err(prepared)?;
        if let Some(own) = &own {
            own.start().await?;
        }
        let address = match (&own, remote) {
            (Some(own), _) => own.address(),
            (None, Some(remote)) => remote.address.clone(),
            (None, None) => test.session().temporal.address.clone(),
        };
        let key = payload_key(&folder);
        let temporal = match (&self.temporal_address, given) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(Temporal::join(&address, &namespace, &key).await?),
            (None, None) => Some(Temporal::create(&address, &namespace, &key).await?),
        };
        let way = Way {
            link: self.link(&address).map_err(prepared)?,
            // Its backend is led to the server when that has its address.
            server_link: self
                .server_link
                .then(|| Link::of_calls_to(NOBODY))
                .transpose()
                .map_err(prepared)?,
            own_temporal: own,
            address,
            temporal,
        };
        let environment = self
            .assemble(number, folder.clone(), namespace, (llm, own_model), way)
            .map_err(prepared)?;
        // From here on, teardown stops what was started and keeps what it wrote.
        test.adopt(environment.clone());
        give().map_err(prepared)?;
        let socket = environment.server().socket().map_err(prepared)?;
        if let Some(link) = &environment.0.server_link {
            link.retarget(&socket.to_string());
            link.restore().map_err(prepared)?;
        }
        self.start_parts(&environment, socket).await?;
        let reached = self.reaches_temporal();
        if reached {
            let limit = START.limit.saturating_sub(start.elapsed());
            environment.polled(Budget { limit, ..START }).await?;
        }
        let took = start.elapsed();
        let bare = match reached {
            true => environment.bare_workflow().await?,
            false => None,
        };
        self.record(&environment, took, bare);
        Ok(environment)
    }

    /// Whether the parts have their Temporal from the start.
    fn reaches_temporal(&self) -> bool {
        self.temporal_address.is_none() && self.link != Some(Begins::Cut)
    }

    fn own_temporal(&self, number: usize, folder: &Utf8Path) -> io::Result<Option<OwnTemporal>> {
        if !self.own_temporal {
            return Ok(None);
        }
        let session = self.test.session();
        let mut variables = common(&self.test, &folder.join("home"));
        let (name, value) = NO_VERSION_CHECK;
        variables.push((name.to_owned(), value.to_owned()));
        let (name, part) = (
            unique_in_run(number, "own-temporal"),
            ContainerPart::Temporal,
        );
        let place = Place::of(session.containers.as_ref(), part, &name, folder)?;
        OwnTemporal::new(&session.temporal.cli, place, folder, variables).map(Some)
    }

    /// Whether the environment is to have `component`.
    fn has(&self, component: Component) -> bool {
        match component {
            Component::Server => true,
            Component::WorkflowRunner => self.workflow_runner,
            Component::AgentRunner => self.agent_runner,
        }
    }

    fn link(&self, temporal: &str) -> io::Result<Option<Link>> {
        let Some(begins) = self.link else {
            return Ok(None);
        };
        let link = match self.link_knows_calls {
            true => Link::of_calls_to(temporal)?,
            false => Link::to(temporal)?,
        };
        if begins == Begins::Open {
            link.restore()?;
        }
        Ok(Some(link))
    }

    fn own_model(&self, folder: &Utf8Path) -> Result<Option<OwnModel>, StartError> {
        if !matches!(self.model, ModelChoice::Own) {
            return Ok(None);
        }
        let files = self.test.session().own_llm.clone();
        let files = files.ok_or(StartError::NoModel)?;
        let variables = common(&self.test, &folder.join("home"));
        Ok(Some(OwnModel::new(files, folder, variables)))
    }

    async fn llm(&self, number: usize, own: Option<&OwnModel>) -> Result<Llm, StartError> {
        let own = match own {
            Some(own) => Some(own.start().await.map_err(StartError::OwnModel)?),
            None => None,
        };
        let mode = self.model.mode(&self.test, number, own)?;
        let journal = self.test.llm_journal().saying("environment", number);
        let llm = Llm::start(mode, journal, self.test.secrets().clone())?;
        if let (Some(script), Some(answer)) = (llm.script(), &self.answer) {
            script.answer_any(answer.clone());
        }
        if let Some(origin) = llm.origin() {
            self.test.fact("model", json!(origin));
        }
        Ok(llm)
    }

    fn assemble(
        &self,
        number: usize,
        folder: Utf8PathBuf,
        namespace: String,
        (llm, own_model): (Llm, Option<OwnModel>),
        way: Way,
    ) -> io::Result<Environment> {
        let stack = &self.test.session().stack;
        let containers = self.test.session().containers.as_ref();
        let with_temporal = self.reaches_temporal();
        let part = |component: Component, which: u16, program: &Utf8PathBuf| {
            let own = self.programs.get(component.name());
            let name = unique_in_run(number, &numbered(component, which));
            // No image has the program of a test.
            let place = match (own, containers) {
                (Some(_), Some(containers)) => Place::Process(containers.host()),
                _ => Place::of(containers, component.into(), &name, &folder)?,
            };
            let program = own.unwrap_or(program);
            let part = Part::new(component, which, program, place, &folder, with_temporal);
            io::Result::Ok(part)
        };
        let server = part(Component::Server, 1, &stack.server)?;
        let runner = |component, which, program| match self.has(component) {
            true => part(component, which, program).map(Some),
            false => Ok(None),
        };
        let workflow_runner = runner(Component::WorkflowRunner, 1, &stack.workflow_runner)?;
        let agent_runner = runner(Component::AgentRunner, 1, &stack.agent_runner)?;
        let mut more_runners = Vec::new();
        for which in 2..=self.of_each_runner {
            more_runners.extend(runner(
                Component::WorkflowRunner,
                which,
                &stack.workflow_runner,
            )?);
            more_runners.extend(runner(Component::AgentRunner, which, &stack.agent_runner)?);
        }
        let mut cli = common(&self.test, &folder.join("home"));
        cli.extend(developer(self.test.session()));
        Ok(Environment(Arc::new(Inner {
            test: self.test.clone(),
            folder,
            namespace,
            llm,
            own_model,
            server,
            workflow_runner,
            agent_runner,
            more_runners,
            cli,
            number,
            hub: OnceLock::new(),
            link: way.link,
            server_link: way.server_link,
            own_temporal: way.own_temporal,
            temporal_address: way.address,
            temporal: way.temporal.map_or_else(OnceLock::new, OnceLock::from),
            api: OnceLock::new(),
        })))
    }

    /// Starts every part at the same time: none needs another one to become ready, and the runners are
    /// told where the server will be.
    async fn start_parts(
        &self,
        environment: &Environment,
        server: SocketAddr,
    ) -> Result<(), ServiceError> {
        let linked = environment.0.link.as_ref().map(Link::address);
        let link = environment.0.server_link.as_ref();
        let runners_server = link.map_or(server, Link::socket);
        let temporal = self.temporal_address.clone().or(linked);
        let temporal = temporal.unwrap_or_else(|| environment.temporal_address().to_owned());
        let mut shared = common(&self.test, &environment.home());
        shared.extend(settings::every_part(&temporal, environment.namespace()));
        let starts = environment.parts().map(async |part| {
            let own = match part.component() {
                Component::Server => settings::server(environment.folder(), server),
                Component::WorkflowRunner => settings::runner(runners_server),
                Component::AgentRunner => {
                    let model = model::settings(&environment.0.llm);
                    let server = settings::runner(runners_server);
                    server.into_iter().chain(model).collect()
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

    fn record(&self, environment: &Environment, took: Duration, bare: Option<Duration>) {
        let parts = environment.parts().filter_map(|part| {
            let ready = part.was_ready()?;
            Some(PartRecord {
                component: ready.component,
                pid: part.pid(),
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
            bare_workflow_ms: bare.map(whole_ms),
            stop_ms: None,
            parts: parts.collect(),
        };
        self.test.update(|test| test.environments.push(record));
        self.test.spend(START, "the environment does work", took);
        self.test.begin_body();
    }
}

/// A name for what belongs to environment `number` of this process.
fn unique_in_run(number: usize, name: &str) -> String {
    format!("{}-{number}-{name}", std::process::id())
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
