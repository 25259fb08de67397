//! The ready file: how a part says that it works, and where.

use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

/// What a part says about itself once it can do its work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Its name, such as `stigmer-server`.
    pub component: String,
    /// Its process id.
    pub pid: u32,
    /// The address it listens on, such as `127.0.0.1:40211`; absent when it listens on none.
    pub address: Option<String>,
    /// Its version.
    pub version: String,
    /// Its build id, see [`crate::build_id`].
    pub build: String,
    /// The Temporal task queues it polls.
    pub task_queues: Vec<String>,
}

/// The ready file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the ready file {path} (STIGMER_READY_FILE)")]
pub struct AnnounceError {
    path: String,
    source: io::Error,
}

/// How often the ready file is renewed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// Logs readiness and, when `STIGMER_READY_FILE` is set, writes it there as JSON in one step: a
/// reader sees no file or the whole of it. From then on the file's modification time is renewed every
/// two seconds, as long as the calling runtime makes progress.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn announce(
    component: &str,
    version: &str,
    address: Option<String>,
    task_queues: &[String],
) -> Result<(), AnnounceError> {
    let ready = Ready {
        component: component.to_owned(),
        pid: std::process::id(),
        address,
        version: version.to_owned(),
        build: crate::build_id().to_owned(),
        task_queues: task_queues.to_vec(),
    };
    tracing::info!(component, address = ready.address, build = ready.build, queues = ?ready.task_queues, "ready");
    let Some(path) = crate::text("STIGMER_READY_FILE").map(PathBuf::from) else {
        return Ok(());
    };
    let part = path.with_extension(format!("{}.part", ready.pid));
    // A struct of texts and numbers always serialises.
    let json = serde_json::to_vec(&ready).expect("a ready record is JSON");
    fs::write(&part, json)
        .and_then(|()| fs::rename(&part, &path))
        .map_err(|source| AnnounceError {
            path: path.display().to_string(),
            source,
        })?;
    tokio::spawn(keep_renewed(path));
    Ok(())
}

/// Renews the file until it is gone.
async fn keep_renewed(path: PathBuf) {
    let renew = || {
        let file = fs::File::options().write(true).open(&path)?;
        file.set_modified(SystemTime::now())
    };
    while renew().is_ok() {
        tokio::time::sleep(SIGN_OF_LIFE).await;
    }
}
