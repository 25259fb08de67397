//! The pinned model on an Ollama of the run's own.

mod api;

use std::{cell::Cell, rc::Rc, time::Duration};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::LocalBoxFuture;
use stigmer_e2e_plan::Gguf;

pub use api::{OllamaApi, OllamaError};

use super::{LlamaCpp, ModelApi, free_port, says_port_taken};
use crate::{
    session::SharedModel,
    supervise::{Readiness, Service, Spec, StopPolicy},
};

/// `ollama serve` on a free port, with models of its own.
#[derive(Clone, Debug)]
pub struct Ollama {
    program: Utf8PathBuf,
    model: Gguf,
    folder: Utf8PathBuf,
    port: Rc<Cell<u16>>,
}

impl Ollama {
    /// Who serves the model, in reports.
    pub const PROVIDER: &str = "ollama";

    /// The program, which is given the pinned model; its files and its log go to `folder`.
    pub fn new(program: &Utf8Path, model: &Gguf, folder: &Utf8Path) -> Self {
        Self {
            program: program.to_owned(),
            model: model.clone(),
            folder: folder.to_owned(),
            port: Rc::default(),
        }
    }

    /// Where and under which name the model is found; once it is ready.
    pub fn model(&self) -> SharedModel {
        shared(&self.url(), &self.model)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.get())
    }
}

/// The pinned model at the Ollama at `url`.
pub fn shared(url: &str, model: &Gguf) -> SharedModel {
    SharedModel {
        base_url: format!("{url}/v1"),
        model: model.name_at_ollama(),
        sha256: Some(model.sha256.clone()),
        provider: Ollama::PROVIDER.to_owned(),
    }
}

async fn answers(url: &str, model: &Gguf) -> anyhow::Result<()> {
    OllamaApi::new(url)?.provide(model).await?;
    let SharedModel {
        base_url, model, ..
    } = shared(url, model);
    // It loads the model with the first question.
    let api = ModelApi::new(&base_url, &model, Duration::from_secs(60))?;
    api.lists_model().await?;
    Ok(api.generates().await?)
}

impl Service for Ollama {
    fn name(&self) -> &str {
        LlamaCpp::NAME
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let port = free_port().context("no free port for Ollama")?;
        self.port.set(port);
        let home = self.folder.join("ollama");
        Ok(
            Spec::new(self.name(), &self.program, self.folder.join("llm.log"))
                .args(["serve"])
                .env("HOME", home.as_str())
                .env("OLLAMA_HOST", format!("127.0.0.1:{port}"))
                .env("OLLAMA_MODELS", home.join("models").as_str()),
        )
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let (url, model) = (self.url(), self.model.clone());
        Box::pin(async move {
            match answers(&url, &model).await {
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
        Duration::from_secs(120)
    }

    fn was_unlucky(&self, log_tail: &[String]) -> bool {
        says_port_taken(log_tail)
    }

    fn address(&self) -> Option<String> {
        Some(self.model().base_url)
    }
}
