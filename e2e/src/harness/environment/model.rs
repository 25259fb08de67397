//! Which model answers in an environment, and what the agent-runner is told about it.

use super::settings::{Variables, pairs};
use crate::{harness::edge::ScriptLlm, session::SharedModel};

/// A cached prompt changes what llama.cpp answers, even at temperature 0; other servers ignore it.
const STEADY: &str = r#"{"temperature": 0, "seed": 7, "cache_prompt": false}"#;

/// The longest answer of a real model, in tokens: small models like to go on.
const SHORT: u32 = 64;

/// The model of one environment.
pub(super) enum Model {
    /// Answers are the test's.
    Scripted(ScriptLlm),
    /// The run's model, shared by its tests.
    Real(SharedModel),
}

impl Model {
    pub(super) fn scripted(&self) -> Option<&ScriptLlm> {
        match self {
            Self::Scripted(llm) => Some(llm),
            Self::Real(_) => None,
        }
    }

    /// The agent-runner's variables.
    pub(super) fn settings(&self) -> Variables {
        match self {
            Self::Scripted(llm) => pairs([
                ("STIGMER_LLM_BASE_URL", llm.base_url().to_owned()),
                ("STIGMER_LLM_MODEL", llm.model().to_owned()),
            ]),
            Self::Real(model) => pairs([
                ("STIGMER_LLM_BASE_URL", model.base_url.clone()),
                ("STIGMER_LLM_MODEL", model.model.clone()),
                ("STIGMER_LLM_EXTRA_BODY", STEADY.to_owned()),
                ("STIGMER_LLM_MAX_TOKENS", SHORT.to_string()),
            ]),
        }
    }
}
