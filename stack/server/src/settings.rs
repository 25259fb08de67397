//! The settings of the server, from environment variables (`docs/contract/processes.md`).

use camino::Utf8PathBuf;
use stigmer_process::{number, text, text_or};
use stigmer_temporal::Target;

use crate::temporal::TaskQueues;

/// What a server runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to bind, `GRPC_HOST`.
    pub grpc_host: String,
    /// The port to bind, `GRPC_PORT`; 0 lets the system choose.
    pub grpc_port: u16,
    /// The SQLite file, `DB_PATH`.
    pub db_path: Utf8PathBuf,
    /// The artefact root, `STORAGE_PATH`.
    pub storage_path: Utf8PathBuf,
    /// Temporal: `TEMPORAL_HOST_PORT`, else `TEMPORAL_SERVICE_ADDRESS`, and `TEMPORAL_NAMESPACE`.
    pub temporal: Target,
    /// The task queues.
    pub queues: TaskQueues,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// When `GRPC_PORT` is no port, or the encryption of payloads cannot be had as told.
    pub fn from_env() -> anyhow::Result<Self> {
        let home = text("HOME").map_or_else(
            || Utf8PathBuf::from("."),
            |home| Utf8PathBuf::from(home).join(".stigmer"),
        );
        let path = |variable, default: &str| {
            text(variable).map_or_else(|| home.join(default), Utf8PathBuf::from)
        };
        let grpc_port = number("GRPC_PORT", 7234)?;
        let mut temporal = Target::from_env()?;
        if let Some(address) = text("TEMPORAL_HOST_PORT") {
            temporal.address = address;
        }
        Ok(Self {
            grpc_host: text_or("GRPC_HOST", "127.0.0.1"),
            grpc_port,
            db_path: path("DB_PATH", "stigmer.db"),
            storage_path: path("STORAGE_PATH", "storage"),
            temporal,
            queues: TaskQueues::from_env()?,
        })
    }

    /// Logs every setting in force.
    pub fn log(&self) {
        tracing::info!(
            grpc_host = self.grpc_host,
            grpc_port = self.grpc_port,
            db_path = %self.db_path,
            storage_path = %self.storage_path,
            temporal_address = self.temporal.address,
            temporal_namespace = self.temporal.namespace,
            queues = ?self.queues,
            "settings"
        );
    }
}
