//! The pinned model on the pinned llama.cpp server.

use std::{rc::Rc, time::Duration};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use stigmer_e2e_plan::{LlmFiles, read_json, write_atomically};

use super::ModelApi;
use crate::{
    session::SharedModel,
    supervise::{Readiness, Service, Spec, StopPolicy},
};

const SCRIPT: &str = include_str!("llama_server.py");

/// A llama.cpp server in a Python process of its own, on a port the system chooses.
#[derive(Clone, Debug)]
pub struct LlamaCpp(Rc<Parts>);

#[derive(Debug)]
struct Parts {
    python: Utf8PathBuf,
    files: LlmFiles,
    folder: Utf8PathBuf,
}

#[derive(Deserialize)]
struct Announcement {
    address: String,
}

impl LlamaCpp {
    /// Its name in reports.
    pub const NAME: &str = "llm";

    /// Who serves its model, in reports.
    pub const PROVIDER: &str = "llama-cpp";

    /// The model and library of `files`, run by `python`; script, log, and address go to `folder`.
    pub fn new(python: &Utf8Path, files: &LlmFiles, folder: &Utf8Path) -> Self {
        Self(Rc::new(Parts {
            python: python.to_owned(),
            files: files.clone(),
            folder: folder.to_owned(),
        }))
    }

    /// Where and under which name the model is found; once it is ready.
    pub fn model(&self) -> Option<SharedModel> {
        let files = &self.0.files;
        let base_url = self.0.base_url().ok()?;
        Some(SharedModel {
            base_url,
            model: files.name.clone(),
            sha256: Some(files.sha256.clone()),
            provider: Self::PROVIDER.to_owned(),
        })
    }
}

impl Parts {
    fn announcement(&self) -> Utf8PathBuf {
        self.folder.join("llm.ready.json")
    }

    fn base_url(&self) -> anyhow::Result<String> {
        let Announcement { address } = read_json(&self.announcement())?;
        Ok(format!("http://{address}/v1"))
    }

    async fn answers(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.announcement().exists(), "it is loading the model");
        // A loaded machine may need seconds for the first token.
        let api = ModelApi::new(&self.base_url()?, &self.files.name, Duration::from_secs(30))?;
        api.lists_model().await?;
        Ok(api.generates().await?)
    }
}

impl Service for LlamaCpp {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let Parts {
            python,
            files,
            folder,
        } = &*self.0;
        let script = folder.join("llama_server.py");
        write_atomically(&script, SCRIPT.as_bytes())?;
        let announcement = self.0.announcement();
        if announcement.exists() {
            std::fs::remove_file(&announcement)
                .with_context(|| format!("failed to remove {announcement}"))?;
        }
        Ok(Spec::new(self.name(), python, folder.join("llm.log"))
            .args([
                script.as_str(),
                files.model.as_str(),
                &files.name,
                announcement.as_str(),
            ])
            .env("PYTHONPATH", files.library.as_str())
            // The library is read-only for us: it may be a store path or a shared cache.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .hold_stdin())
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let parts = self.0.clone();
        Box::pin(async move {
            match parts.answers().await {
                Ok(()) => Readiness::Ready,
                Err(error) => Readiness::NotYet(format!("{error:#}")),
            }
        })
    }

    fn stop_policy(&self) -> StopPolicy {
        StopPolicy::Graceful {
            grace: Duration::from_secs(5),
        }
    }

    fn ready_within(&self) -> Duration {
        // Seconds on a quiet machine, ten times that beside a compiler.
        Duration::from_secs(120)
    }

    fn address(&self) -> Option<String> {
        self.0.base_url().ok()
    }
}
