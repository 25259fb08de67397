//! What the parts are told, resolved once: variable, else settings file, else default.

mod llm;
mod programs;
mod temporal;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use stigmer_api::temporal_names::{self as names, TaskQueue};
use stigmer_process::{SettingError, number, text, text_or};

use super::{
    Layout, LayoutError, Part,
    port::{PortError, Wanted, dial_host, reserve},
};
use crate::config::{Config, ConfigError};

pub use llm::{LlmSettings, Provider};
pub use programs::Programs;
pub use temporal::{Managed, Temporal};

/// The stack cannot be started like this.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(
        "{what} is not at {path}; install it beside the stigmer command, or say where it is with {variable}"
    )]
    Program {
        what: &'static str,
        path: Utf8PathBuf,
        variable: &'static str,
    },
    #[error(
        "there is no temporal program on PATH or at {path}; install the Temporal CLI, say where it is with STIGMER_TEMPORAL_BIN, \
         or use a running Temporal with TEMPORAL_SERVICE_ADDRESS=host:port"
    )]
    NoTemporal { path: Utf8PathBuf },
    #[error(
        "{program} is no Temporal CLI that can be used: {reason}; Temporal CLI {wanted} or a later 1.x is needed"
    )]
    TemporalVersion {
        program: Utf8PathBuf,
        reason: String,
        wanted: &'static str,
    },
    #[error(
        "TEMPORAL_SERVICE_ADDRESS={parts} and TEMPORAL_HOST_PORT={server} name two Temporals, and the parts would not find each other; unset one"
    )]
    TwoTemporals { parts: String, server: String },
    #[error(
        "temporal.managed is false and temporal.address is not set, so there is no Temporal; set one of them with 'stigmer config set'"
    )]
    NoAddress,
    #[error("unsupported LLM provider: {0} (supported: ollama, anthropic, openai)")]
    Provider(String),
    #[error("{provider} needs an API key: set {variable}")]
    NoKey {
        provider: Provider,
        variable: &'static str,
    },
}

/// What the parts are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Where everything is kept.
    pub layout: Layout,
    /// Where the API listens.
    pub api: Api,
    /// The store of the server.
    pub db_path: Utf8PathBuf,
    /// Its artefacts.
    pub storage_path: Utf8PathBuf,
    /// Whose Temporal.
    pub temporal: Temporal,
    /// Its namespace.
    pub namespace: String,
    /// The task queues by what they are for.
    pub queues: Vec<Queue>,
    /// The model.
    pub llm: LlmSettings,
    /// What is started.
    pub programs: Programs,
}

/// Where the API listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// The address to bind.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

impl Api {
    /// Where clients find it, `host:port`.
    pub fn dial(&self) -> String {
        format!("{}:{}", dial_host(&self.host), self.port)
    }
}

/// A task queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Who polls it.
    pub part: Part,
    /// Its name.
    pub name: String,
}

impl Settings {
    /// What is in force for the user. Every port is free at this moment, every program is there.
    pub async fn resolve(config: &Config) -> Result<Self, SettingsError> {
        let layout = Layout::of_user()?;
        let llm = LlmSettings::resolve(config)?;
        let programs = Programs::resolve()?;
        let host = text_or("GRPC_HOST", "127.0.0.1");
        let port = reserve(Wanted {
            what: "the API",
            variable: "GRPC_PORT",
            host: &host,
            port: number("GRPC_PORT", 7234)?,
        })?;
        let temporal = Temporal::resolve(config, &layout).await?;
        let path = |variable, default: &str| {
            text(variable).map_or_else(
                || layout.home().join(default),
                |path| programs::absolute(path.into()),
            )
        };
        Ok(Self {
            api: Api { host, port },
            db_path: path("DB_PATH", "stigmer.db"),
            storage_path: path("STORAGE_PATH", "storage"),
            temporal,
            namespace: text_or("TEMPORAL_NAMESPACE", "default"),
            queues: queues(),
            llm,
            programs,
            layout,
        })
    }

    /// The names of the queues that `part` polls.
    pub fn queues_of(&self, part: Part) -> impl Iterator<Item = &str> {
        let own = self.queues.iter().filter(move |queue| queue.part == part);
        own.map(|queue| queue.name.as_str())
    }
}

fn queues() -> Vec<Queue> {
    let queue = |part, queue: TaskQueue| Queue {
        part,
        name: queue.name(),
    };
    vec![
        queue(Part::Server, names::AGENT_EXECUTION_STIGMER),
        queue(Part::Server, names::WORKFLOW_EXECUTION_STIGMER),
        queue(Part::Server, names::WORKFLOW_VALIDATION_STIGMER),
        queue(Part::WorkflowRunner, names::WORKFLOW_EXECUTION_RUNNER),
        queue(Part::WorkflowRunner, names::ZIGFLOW_EXECUTION),
        queue(Part::WorkflowRunner, names::WORKFLOW_VALIDATION_RUNNER),
        queue(Part::AgentRunner, names::AGENT_EXECUTION_RUNNER),
    ]
}
