//! What the process is told by its environment (`docs/contract/processes.md`).

use std::{path::PathBuf, time::Duration};

use reqwest::Url;
use serde_json::{Map, Value};
use stigmer_api::temporal_names::AGENT_EXECUTION_RUNNER;
use stigmer_process::{SettingError, number, text, text_or};
use stigmer_temporal::Target;

use crate::mcp::Limits;

/// Everything the process is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Temporal to work for.
    pub temporal: Target,
    /// The queue to poll.
    pub task_queue: String,
    /// Activities that run at a time.
    pub max_activities: usize,
    /// The server to report to.
    pub backend: BackendSettings,
    /// The model to ask.
    pub llm: LlmSettings,
    /// What agents may do.
    pub agents: AgentSettings,
}

/// What agents may do.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// How often the models of one execution may be asked, its sub-agents' included.
    pub max_turns: u32,
    /// How long MCP servers may take.
    pub mcp: Limits,
    /// Where each execution that needs one gets a folder of its own.
    pub workspace_root: PathBuf,
}

/// The server to report to.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    /// Its address, `host:port`.
    pub address: String,
    /// Sent as bearer token.
    pub api_key: String,
}

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

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// Names the first variable that cannot be used and what it should hold.
    pub fn from_env() -> anyhow::Result<Self> {
        let max_activities = above_zero("TEMPORAL_MAX_CONCURRENCY", 10)?;
        Ok(Self {
            task_queue: AGENT_EXECUTION_RUNNER.name(),
            max_activities: usize::try_from(max_activities).unwrap_or(usize::MAX),
            backend: backend()?,
            llm: llm()?,
            agents: agents()?,
            temporal: Target::from_env()?,
        })
    }
}

fn agents() -> Result<AgentSettings, SettingError> {
    let seconds = |variable, default| Ok(Duration::from_secs(above_zero(variable, default)?));
    Ok(AgentSettings {
        max_turns: u32::try_from(above_zero("STIGMER_AGENT_MAX_TURNS", 50)?).unwrap_or(u32::MAX),
        mcp: Limits {
            start: seconds("STIGMER_MCP_START_TIMEOUT", 30)?,
            call: seconds("STIGMER_MCP_CALL_TIMEOUT", 60)?,
        },
        workspace_root: text("SANDBOX_ROOT_DIR").map_or_else(default_root, PathBuf::from),
    })
}

fn default_root() -> PathBuf {
    let stigmer = text("HOME").map(|home| PathBuf::from(home).join(".stigmer"));
    stigmer
        .unwrap_or_else(|| std::env::temp_dir().join("stigmer"))
        .join("workspace")
}

fn above_zero(variable: &'static str, default: u64) -> Result<u64, SettingError> {
    match number(variable, default)? {
        0 => Err(refused(variable, "0".to_owned(), "a number above 0")),
        number => Ok(number),
    }
}

fn backend() -> Result<BackendSettings, SettingError> {
    let variable = "STIGMER_BACKEND_ENDPOINT";
    let value = text_or(variable, "localhost:7234");
    let address = backend_address(&value).map_err(|expected| refused(variable, value, expected))?;
    let api_key = text_or("STIGMER_API_KEY", "dummy-local-key");
    header_safe("STIGMER_API_KEY", &api_key)?;
    Ok(BackendSettings { address, api_key })
}

fn llm() -> Result<LlmSettings, SettingError> {
    let (variable, value) = match (text("STIGMER_LLM_BASE_URL"), text("OLLAMA_BASE_URL")) {
        (Some(value), _) => ("STIGMER_LLM_BASE_URL", value),
        (None, Some(value)) => ("OLLAMA_BASE_URL", value),
        (None, None) => (
            "STIGMER_LLM_BASE_URL",
            "http://localhost:11434/v1".to_owned(),
        ),
    };
    let base_url = llm_base_url(&value).map_err(|expected| refused(variable, value, expected))?;
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
    Ok(LlmSettings {
        base_url,
        model: text_or("STIGMER_LLM_MODEL", "qwen2.5-coder:7b"),
        api_key,
        max_tokens,
        extra_body,
    })
}

fn refused(variable: &'static str, value: String, expected: &'static str) -> SettingError {
    SettingError {
        variable,
        value,
        expected,
    }
}

/// A key becomes an HTTP header; the error must not repeat it.
fn header_safe(variable: &'static str, key: &str) -> Result<(), SettingError> {
    if key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(());
    }
    Err(refused(
        variable,
        "(not shown)".to_owned(),
        "printable ASCII",
    ))
}

/// The `host:port` in a backend endpoint, which may be written with `http://` in front.
fn backend_address(value: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "a host:port address without TLS";
    let address = value
        .strip_prefix("http://")
        .unwrap_or(value)
        .trim_end_matches('/');
    let url = Url::parse(&format!("http://{address}")).map_err(|_| EXPECTED)?;
    let bare =
        url.has_host() && url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if value.starts_with("https://") || !bare || url.port() == Some(443) {
        return Err(EXPECTED);
    }
    Ok(address.to_owned())
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
    fn a_backend_is_host_and_port_with_or_without_scheme() {
        assert_eq!(backend_address("localhost:7234").unwrap(), "localhost:7234");
        assert_eq!(
            backend_address("http://127.0.0.1:40211/").unwrap(),
            "127.0.0.1:40211"
        );
        for value in [
            "https://host:7234",
            "host:443",
            "host:port",
            "host:1/path",
            "http://",
        ] {
            assert!(backend_address(value).is_err(), "{value}");
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

    #[test]
    fn a_key_that_is_no_header_is_refused_without_being_shown() {
        let error = header_safe("STIGMER_LLM_API_KEY", "se\ncret")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("STIGMER_LLM_API_KEY") && !error.contains("cret"),
            "{error}"
        );
    }
}
