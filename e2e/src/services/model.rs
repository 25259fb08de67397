//! The model of a run, wherever it comes from.

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{LlmChoice, OllamaServer, Tools};

use super::{LlamaCpp, Ollama, ollama};
use crate::session::SharedModel;

/// Where the model of a run comes from.
#[derive(Clone, Debug)]
pub enum Model {
    /// The pinned model on the pinned server, started for the run.
    Pinned(LlamaCpp),
    /// The pinned model on an Ollama, started for the run.
    Ollama(Ollama),
    /// A model that somebody else serves.
    Given(SharedModel),
    /// Recorded answers in this folder, each played by the test that it was recorded for.
    Recorded(Utf8PathBuf),
    /// None.
    None,
}

impl Model {
    /// The model that was chosen; the pinned server works in `folder`.
    ///
    /// # Errors
    ///
    /// When the pinned model was chosen and the plan has no files for it, which is a fault of the plan.
    pub fn of(choice: &LlmChoice, tools: &Tools, folder: &Utf8Path) -> anyhow::Result<Self> {
        Ok(match (choice, &tools.llm) {
            (LlmChoice::LlamaCpp, Some(files)) => {
                Self::Pinned(LlamaCpp::new(&tools.python, files, folder))
            }
            (LlmChoice::LlamaCpp, None) => {
                anyhow::bail!("the plan chooses the pinned model and names no files for it")
            }
            (LlmChoice::OpenAi { base_url, model }, _) => Self::Given(SharedModel {
                base_url: base_url.clone(),
                model: model.clone(),
                sha256: None,
                provider: "openai".to_owned(),
            }),
            (LlmChoice::Replay { cassettes }, _) => Self::Recorded(cassettes.clone()),
            (LlmChoice::Ollama { server }, _) => match (server, &tools.gguf) {
                (Some(OllamaServer::Program(program)), Some(gguf)) => {
                    Self::Ollama(Ollama::new(program, gguf, folder))
                }
                (Some(OllamaServer::Running(url)), Some(gguf)) => {
                    Self::Given(ollama::shared(url, gguf))
                }
                _ => anyhow::bail!("the plan chooses Ollama, and names none or no model for it"),
            },
            (LlmChoice::None, _) => Self::None,
        })
    }

    /// Where and under which name it is found; once it is ready.
    pub fn shared(&self) -> Option<SharedModel> {
        match self {
            Self::Pinned(server) => server.model(),
            Self::Ollama(server) => Some(server.model()),
            Self::Given(model) => Some(model.clone()),
            Self::Recorded(_) | Self::None => None,
        }
    }

    /// The folder of recorded answers that stand in for it.
    pub fn cassettes(&self) -> Option<Utf8PathBuf> {
        match self {
            Self::Recorded(folder) => Some(folder.clone()),
            Self::Pinned(_) | Self::Ollama(_) | Self::Given(_) | Self::None => None,
        }
    }
}
