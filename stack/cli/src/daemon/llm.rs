//! The model's server: whether it is there and what it offers, asked by the protocol that the
//! agent-runner speaks.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::settings::LlmSettings;

/// How long it may take to list its models.
const ANSWER: Duration = Duration::from_secs(2);
/// How long it may be silent while it fetches a model.
const SILENCE: Duration = Duration::from_secs(60);

/// Whether a model can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum LlmState {
    /// It answers, and has these models.
    Reachable { models: Vec<String> },
    /// It does not answer as it should.
    Unreachable { reason: String },
    /// It cannot be asked from here.
    NotAsked { reason: String },
}

impl LlmState {
    /// What `llm` says now.
    pub async fn of(llm: &LlmSettings) -> Self {
        let api = llm.api();
        if !api.starts_with("http://") {
            let reason = format!("{api} is not an http:// URL, and TLS is not supported");
            return Self::NotAsked { reason };
        }
        match models(llm).await {
            Ok(models) => Self::Reachable { models },
            Err(error) => Self::Unreachable {
                reason: format!("{error:#}"),
            },
        }
    }
}

/// The models that `llm` offers, by its list of models.
pub async fn models(llm: &LlmSettings) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        id: String,
    }
    let url = format!("{}/models", llm.api());
    let request = client(ANSWER)?.get(&url).timeout(ANSWER);
    let request = match llm.provider.key() {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let list: List = answer(request.send().await, &url)
        .await?
        .json()
        .await
        .map_err(|error| cause(&error))
        .with_context(|| format!("{url} gives no list of models"))?;
    Ok(list.data.into_iter().map(|model| model.id).collect())
}

/// Has an Ollama at `llm` fetch `model`, and returns once it has it. `progress` hears what it does.
pub async fn pull(llm: &LlmSettings, model: &str, mut progress: impl FnMut(&str)) -> Result<()> {
    #[derive(Deserialize)]
    struct Step {
        status: Option<String>,
        error: Option<String>,
    }
    let root = llm.api();
    let url = format!("{}/api/pull", root.trim_end_matches("/v1"));
    let request = client(SILENCE)?
        .post(&url)
        .json(&json!({"model": model, "stream": true}));
    let mut response = answer(request.send().await, &url).await?;
    let mut buffer = Vec::new();
    let mut done = false;
    while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
        buffer.extend_from_slice(&chunk);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            let step: Step = serde_json::from_slice(&line)
                .with_context(|| format!("{url} says something that is no step of a download"))?;
            if let Some(error) = step.error {
                bail!("{url} says: {error}");
            }
            let status = step.status.unwrap_or_default();
            done = status == "success";
            progress(&status);
        }
    }
    match done {
        true => Ok(()),
        false => bail!("{url} broke off before the model was there; try again"),
    }
}

fn client(silence: Duration) -> Result<Client> {
    let client = Client::builder()
        .connect_timeout(ANSWER)
        .read_timeout(silence);
    client.build().context("failed to make an HTTP client")
}

async fn answer(sent: reqwest::Result<Response>, url: &str) -> Result<Response> {
    let response = sent
        .map_err(|error| cause(&error))
        .with_context(|| format!("{url} does not answer"))?;
    match response.status().is_success() {
        true => Ok(response),
        false => bail!("{url} answers {}", response.status()),
    }
}

/// The innermost error, which is the one that says what happened.
fn cause(error: &reqwest::Error) -> anyhow::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    anyhow::anyhow!("{cause}")
}
