//! A real model that belongs to one environment, for tests that kill it.

use camino::{Utf8Path, Utf8PathBuf};

use super::settings::Variables;
use crate::{
    services::LlamaCpp,
    session::{OwnModel as Files, SharedModel},
    supervise::{Child, Service, ServiceError, StopPolicy},
};

/// The pinned model in a process of its own.
#[derive(Debug)]
pub struct OwnModel {
    files: Files,
    folder: Utf8PathBuf,
    variables: Variables,
    child: tokio::sync::Mutex<Option<Child>>,
}

impl OwnModel {
    /// One that will run with its files in `folder`.
    pub(super) fn new(files: Files, folder: &Utf8Path, variables: Variables) -> Self {
        Self {
            files,
            folder: folder.to_owned(),
            variables,
            child: tokio::sync::Mutex::default(),
        }
    }

    /// Starts it; where it is found, once it answers.
    pub(super) async fn start(&self) -> anyhow::Result<SharedModel> {
        let service = LlamaCpp::new(&self.files.python, &self.files.files, &self.folder);
        let mut spec = service
            .command()?
            .env_clear()
            .ready_within(service.ready_within());
        for (variable, value) in &self.variables {
            spec = spec.env(variable, value);
        }
        let mut slot = self.child.lock().await;
        let child = slot.insert(Child::spawn(spec)?);
        child.wait_ready(async || service.probe().await).await?;
        service
            .model()
            .ok_or_else(|| anyhow::anyhow!("the model answers and does not say where"))
    }

    /// Ends it with SIGKILL, as a crash would.
    ///
    /// # Errors
    ///
    /// When not even that ends it.
    pub async fn kill9(&self) -> Result<(), ServiceError> {
        match self.child.lock().await.take() {
            Some(mut child) => child.stop(StopPolicy::Kill).await.map(drop),
            None => Ok(()),
        }
    }
}
