//! The parts as services: what starts each, what proves that it works, and whether it still does.

use std::{
    fs,
    rc::Rc,
    time::{Duration, SystemTime},
};

use futures_util::future::{LocalBoxFuture, try_join_all};
use stigmer_process::Ready;
use stigmer_supervise::{
    HealthPolicy, Identity, Readiness, RestartPolicy, Service, Spec, StopPolicy,
};

use super::dev_server::DevServer;
use crate::daemon::{
    Part, Settings,
    health::{self, Health, readiness},
    settings::Temporal,
};

/// How long one question may take.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// How long a queue may take to do a ping's work.
const PING: Duration = Duration::from_secs(10);
/// A part renews its ready file every two seconds; one that did not for this long hangs.
const SIGN_OF_LIFE: Duration = Duration::from_secs(8);
/// How long a part may take to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Every service of `settings`, each after those it depends on.
pub fn services(settings: &Rc<Settings>) -> Vec<Box<dyn Service>> {
    let mut services: Vec<Box<dyn Service>> = Vec::new();
    let mut base = Vec::new();
    if let Temporal::Managed(managed) = &settings.temporal {
        base.push(Part::Temporal.name());
        services.push(Box::new(DevServer {
            managed: managed.clone(),
            settings: settings.clone(),
        }));
    }
    let own = |part, depends_on: &[&'static str]| StackPart {
        part,
        depends_on: depends_on.to_vec(),
        settings: settings.clone(),
    };
    services.push(Box::new(own(Part::Server, &base)));
    for runner in [Part::WorkflowRunner, Part::AgentRunner] {
        services.push(Box::new(own(runner, &[Part::Server.name()])));
    }
    services
}

/// The server or a runner.
struct StackPart {
    part: Part,
    depends_on: Vec<&'static str>,
    settings: Rc<Settings>,
}

impl Service for StackPart {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn depends_on(&self) -> &[&str] {
        &self.depends_on
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let settings = &self.settings;
        let ready_file = settings.layout.ready_file(self.part);
        // What an earlier process said must not be taken for what this one says.
        match fs::remove_file(&ready_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(
                    anyhow::Error::new(error).context(format!("failed to remove {ready_file}"))
                );
            }
            _ => {}
        }
        let program = settings
            .programs
            .of(self.part)
            .expect("a part of the stack's own");
        let spec = Spec::new(self.name(), program, settings.layout.log(self.part))
            .directory(settings.layout.data())
            .env("STIGMER_READY_FILE", ready_file.as_str())
            .env("TEMPORAL_SERVICE_ADDRESS", settings.temporal.address())
            .env_remove("TEMPORAL_HOST_PORT")
            .env("TEMPORAL_NAMESPACE", &settings.namespace);
        Ok(match self.part {
            Part::Server => spec
                .env("GRPC_HOST", &settings.api.host)
                .env("GRPC_PORT", settings.api.port.to_string())
                .env("DB_PATH", settings.db_path.as_str())
                .env("STORAGE_PATH", settings.storage_path.as_str()),
            _ => {
                let llm = &settings.llm;
                let spec = spec
                    .env("STIGMER_BACKEND_ENDPOINT", settings.api.dial())
                    .env("STIGMER_LLM_BASE_URL", llm.api())
                    .env("STIGMER_LLM_MODEL", &llm.model);
                match llm.provider.key() {
                    Some(key) => spec.env("STIGMER_LLM_API_KEY", key),
                    None => spec,
                }
            }
        })
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let (part, settings) = (self.part, self.settings.clone());
        Box::pin(async move {
            let works = async {
                let ready = ready(&settings, part).ok_or("it has not written its ready file")?;
                has_its_settings(&ready, &settings, part)?;
                let mut server = Health::of(&settings.api.dial(), PING).await?;
                if part == Part::Server {
                    server.serves("").await?;
                    let temporal = server.serves(health::SERVERS_TEMPORAL).await;
                    temporal.map_err(|told| {
                        let address = settings.temporal.address();
                        format!("it is not connected to Temporal at {address} ({told})")
                    })?;
                }
                let pings = ready.task_queues.iter().map(|queue| {
                    let (mut server, queue) = (server.clone(), health::queue(queue));
                    async move { server.serves_if_known(&queue).await }
                });
                try_join_all(pings).await.map(drop)
            };
            readiness(works.await)
        })
    }

    /// Not by a ping: a runner whose slots are all taken by long executions would not answer it.
    fn health(&self) -> LocalBoxFuture<'static, Readiness> {
        let (part, settings) = (self.part, self.settings.clone());
        Box::pin(async move {
            let works = async {
                shows_life(&settings, part)?;
                if part == Part::Server {
                    let mut server = Health::of(&settings.api.dial(), ANSWER).await?;
                    server.serves("").await?;
                }
                Ok::<_, String>(())
            };
            readiness(works.await)
        })
    }

    fn health_policy(&self) -> Option<HealthPolicy> {
        Some(HealthPolicy::default())
    }

    fn restart_policy(&self) -> Option<RestartPolicy> {
        Some(RestartPolicy::default())
    }

    fn stop_policy(&self) -> StopPolicy {
        StopPolicy::Graceful { grace: GRACE }
    }
}

/// What `part` says about itself, if it does.
pub fn ready(settings: &Settings, part: Part) -> Option<Ready> {
    let text = fs::read(settings.layout.ready_file(part)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Whether a part runs with what it was told.
fn has_its_settings(ready: &Ready, settings: &Settings, part: Part) -> Result<(), String> {
    if part == Part::Server {
        let port = ready
            .address
            .as_deref()
            .and_then(|address| address.rsplit_once(':'));
        let wanted = settings.api.port.to_string();
        if port.is_none_or(|(_, port)| port != wanted) {
            let address = ready.address.as_deref().unwrap_or("nowhere");
            return Err(format!(
                "it listens on {address}, not on port {wanted} as it was told"
            ));
        }
    }
    let told: Vec<&str> = settings.queues_of(part).collect();
    match ready
        .task_queues
        .iter()
        .find(|queue| !told.contains(&queue.as_str()))
    {
        Some(queue) => Err(format!("it polls the queue {queue}, which it was not told")),
        None => Ok(()),
    }
}

fn shows_life(settings: &Settings, part: Part) -> Result<(), String> {
    let ready = ready(settings, part).ok_or("its ready file is gone")?;
    let identity = Identity::of(ready.pid).ok_or("its process is gone")?;
    if identity.is_frozen() {
        return Err(format!("process {} is frozen (SIGSTOP)", ready.pid));
    }
    let renewed = fs::metadata(settings.layout.ready_file(part)).and_then(|file| file.modified());
    let age = renewed.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    match age {
        Ok(age) if age > SIGN_OF_LIFE => Err(format!("it gave no sign of life for {age:.0?}")),
        _ => Ok(()),
    }
}
