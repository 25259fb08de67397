//! The model of a run, wherever it comes from.

use camino::Utf8Path;
use stigmer_e2e_plan::{LlmChoice, Tools};

use super::LlamaCpp;
use crate::session::SharedModel;

/// Where the model of a run comes from.
#[derive(Clone, Debug)]
pub enum Model {
    /// The pinned model on the pinned server, started for the run.
    Pinned(LlamaCpp),
    /// A model that somebody else serves.
    Given(SharedModel),
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
            }),
            (LlmChoice::None, _) => Self::None,
        })
    }

    /// Where and under which name it is found; once it is ready.
    pub fn shared(&self) -> Option<SharedModel> {
        match self {
            Self::Pinned(server) => server.model(),
            Self::Given(model) => Some(model.clone()),
            Self::None => None,
        }
    }
}
