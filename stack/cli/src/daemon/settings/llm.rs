//! Which model answers.

use std::fmt;

use serde::{Deserialize, Serialize};
use stigmer_process::text;

use super::SettingsError;
use crate::config::Config;

/// Whose protocol and whose key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Ollama,
    Anthropic,
    OpenAi,
}

impl Provider {
    /// The variable that holds the key; nothing when none is needed.
    pub fn key_variable(self) -> Option<&'static str> {
        match self {
            Self::Ollama => None,
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::OpenAi => Some("OPENAI_API_KEY"),
        }
    }

    /// Its key, from the variable for all providers, else from its own.
    pub fn key(self) -> Option<String> {
        text(KEY).or_else(|| text(self.key_variable()?))
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ollama => "Ollama",
            Self::Anthropic => "Anthropic",
            Self::OpenAi => "OpenAI",
        })
    }
}

/// The key of whatever provider is chosen.
const KEY: &str = "STIGMER_LLM_API_KEY";

/// The model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmSettings {
    pub provider: Provider,
    pub model: String,
    /// As given; see [`LlmSettings::api`].
    pub base_url: String,
}

impl LlmSettings {
    /// What is in force for the user.
    pub fn resolve(config: &Config) -> Result<Self, SettingsError> {
        let settings = Self::without_key(config)?;
        match (settings.provider.key_variable(), settings.provider.key()) {
            (Some(variable), None) => Err(SettingsError::NoKey {
                provider: settings.provider,
                variable,
            }),
            _ => Ok(settings),
        }
    }

    /// The same for whoever does not need the key.
    pub fn without_key(config: &Config) -> Result<Self, SettingsError> {
        let mut config = config.clone();
        if let Some(provider) = text("STIGMER_LLM_PROVIDER") {
            // The defaults of the model and its URL follow the provider.
            config.set("llm.provider", &provider)?;
        }
        let provider = match config.get("llm.provider")?.as_str() {
            "ollama" => Provider::Ollama,
            "anthropic" => Provider::Anthropic,
            "openai" => Provider::OpenAi,
            other => return Err(SettingsError::Provider(other.to_owned())),
        };
        let of_ollama = || text("OLLAMA_BASE_URL").filter(|_| provider == Provider::Ollama);
        let base_url = text("STIGMER_LLM_BASE_URL").or_else(of_ollama);
        Ok(Self {
            provider,
            model: text("STIGMER_LLM_MODEL").map_or_else(|| config.get("llm.model"), Ok)?,
            base_url: base_url.map_or_else(|| config.get("llm.base_url"), Ok)?,
        })
    }

    /// The OpenAI-compatible API, up to and including its version; `/v1` when the URL has no path.
    pub fn api(&self) -> String {
        let url = self.base_url.trim_end_matches('/');
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        match rest.contains('/') {
            true => url.to_owned(),
            false => format!("{url}/v1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_has_a_version() {
        let api = |base_url: &str| {
            let llm = LlmSettings {
                provider: Provider::Ollama,
                model: "m".into(),
                base_url: base_url.into(),
            };
            llm.api()
        };
        assert_eq!(api("http://localhost:11434"), "http://localhost:11434/v1");
        assert_eq!(api("http://localhost:11434/"), "http://localhost:11434/v1");
        assert_eq!(api("http://127.0.0.1:1/v1"), "http://127.0.0.1:1/v1");
        assert_eq!(api("http://gateway/openai/v1"), "http://gateway/openai/v1");
    }
}
