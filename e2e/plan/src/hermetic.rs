//! Whether a run is cut off from every other machine.

use serde::{Deserialize, Serialize};

use crate::{LlmChoice, OllamaServer, Runtime, ServerAddress};

/// Whether a run is cut off from every other machine, with whoever tries to leave written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hermetic {
    /// It is not.
    #[default]
    Off,
    /// If this system permits it; otherwise the run says that it is not.
    WherePossible,
    /// It is, or there is no run.
    Required,
}

impl Hermetic {
    /// What a run has to do with the world outside, so that it cannot be cut off.
    pub fn obstacle(
        llm: &LlmChoice,
        runtime: &Runtime,
        server: Option<&ServerAddress>,
        keep: bool,
    ) -> Option<&'static str> {
        match llm {
            _ if server.is_some() => Some("the server (--server) is outside the run"),
            LlmChoice::OpenAi { .. }
            | LlmChoice::Ollama {
                server: Some(OllamaServer::Running(_)),
            } => Some("the model is served by somebody outside the run"),
            _ if runtime.needs_engine() => Some("containers are on the engine's networks"),
            _ if keep => Some("what is kept (--keep) could not be reached from outside"),
            _ => None,
        }
    }
}
