//! The model to ask.

use reqwest::Url;
use serde_json::{Map, Value};
use stigmer_process::{SettingError, number, text, text_or};
use stigmer_runner::refused;

use super::header_safe;

/// The model to ask.
#[derive(Clone, Debug)]
pub struct LlmSettings {
    /// The OpenAI-compatible API, up to and including its version, such as `http://localhost:11434/v1`.
    pub base_url: Url,
    /// The model of executions that name none.
    pub model: String,
    /// Sent as bearer token.
    pub api_key: Option<String>,
    /// The longest answer in tokens; the server of the model decides when unset.
    pub max_tokens: Option<u32>,
    /// Further fields of every request, such as `{"temperature": 0, "seed": 7}`.
    pub extra_body: Map<String, Value>,
}

impl LlmSettings {
    /// Reads them from the environment.
    pub fn from_env() -> Result<Self, SettingError> {
        let (variable, value) = match (text("STIGMER_LLM_BASE_URL"), text("OLLAMA_BASE_URL")) {
            (Some(value), _) => ("STIGMER_LLM_BASE_URL", value),
            (None, Some(value)) => ("OLLAMA_BASE_URL", value),
            (None, None) => (
                "STIGMER_LLM_BASE_URL",
                "http://localhost:11434/v1".to_owned(),
            ),
        };
        let base_url =
            llm_base_url(&value).map_err(|expected| refused(variable, value, expected))?;
        let api_key = text("STIGMER_LLM_API_KEY");
        if let Some(key) = &api_key {
            header_safe("STIGMER_LLM_API_KEY", key)?;
        }
        let extra = text("STIGMER_LLM_EXTRA_BODY").unwrap_or_else(|| "{}".to_owned());
        let extra_body = extra_body(&extra)
            .map_err(|expected| refused("STIGMER_LLM_EXTRA_BODY", extra, expected))?;
        let max_tokens = match text("STIGMER_LLM_MAX_TOKENS") {
            None => None,
            Some(_) => Some(number("STIGMER_LLM_MAX_TOKENS", 0)?),
        };
        Ok(Self {
            base_url,
            model: text_or("STIGMER_LLM_MODEL", "qwen2.5-coder:7b"),
            api_key,
            max_tokens,
            extra_body,
        })
    }
}

/// The base URL of the API; `/v1` is added when the path is empty.
fn llm_base_url(value: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "an http:// URL such as http://localhost:11434/v1";
    let mut url = Url::parse(value).map_err(|_| EXPECTED)?;
    match url.scheme() {
        "http" => {}
        "https" => {
            return Err(
                "an http:// URL: this build has no TLS; put a local proxy in front of the service",
            );
        }
        _ => return Err(EXPECTED),
    }
    if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
        return Err(EXPECTED);
    }
    let path = match url.path().trim_end_matches('/') {
        "" => "/v1".to_owned(),
        path => path.to_owned(),
    };
    url.set_path(&path);
    Ok(url)
}

/// Fields that are added to every request. What makes the request work cannot be replaced.
fn extra_body(value: &str) -> Result<Map<String, Value>, &'static str> {
    let Ok(Value::Object(fields)) = serde_json::from_str(value) else {
        return Err("a JSON object of request fields, such as {\"temperature\": 0}");
    };
    if ["model", "messages", "stream", "tools"]
        .iter()
        .any(|fixed| fields.contains_key(*fixed))
    {
        return Err(
            "a JSON object without \"model\", \"messages\", \"stream\" and \"tools\", which the runner sets",
        );
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_path_becomes_v1_and_any_other_stays() {
        for (value, url) in [
            ("http://localhost:11434", "http://localhost:11434/v1"),
            ("http://localhost:11434/", "http://localhost:11434/v1"),
            ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
            ("http://gateway/openai/v1", "http://gateway/openai/v1"),
        ] {
            assert_eq!(llm_base_url(value).unwrap().as_str(), url);
        }
    }

    #[test]
    fn urls_that_cannot_be_used_say_what_can() {
        assert!(
            llm_base_url("https://api.example.com/v1")
                .unwrap_err()
                .contains("no TLS")
        );
        for value in [
            "localhost:11434",
            "127.0.0.1:1/v1",
            "ftp://host/v1",
            "http://host/v1?key=1",
            "",
        ] {
            assert!(
                llm_base_url(value)
                    .unwrap_err()
                    .contains("http:// URL such as"),
                "{value}"
            );
        }
    }

    #[test]
    fn extra_fields_are_an_object_that_leaves_the_essential_fields_alone() {
        let fields = extra_body(r#"{"temperature": 0, "cache_prompt": false}"#).unwrap();
        assert_eq!(fields["cache_prompt"], Value::Bool(false));
        assert!(
            extra_body("{")
                .unwrap_err()
                .contains("a JSON object of request fields")
        );
        assert!(
            extra_body("[1]")
                .unwrap_err()
                .contains("a JSON object of request fields")
        );
        assert!(
            extra_body(r#"{"stream": false}"#)
                .unwrap_err()
                .contains("which the runner sets")
        );
    }
}
