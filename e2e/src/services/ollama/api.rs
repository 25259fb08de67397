//! Ollama's own API, as far as it takes to give it a model by content and never by a tag.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use stigmer_e2e_plan::Gguf;
use tokio::fs::File;

use crate::services::with_causes;

/// Reading a model's file and writing it down again.
const LIMIT: Duration = Duration::from_secs(120);

/// An Ollama.
#[derive(Clone, Debug)]
pub struct OllamaApi {
    client: reqwest::Client,
    url: String,
}

/// It is none, or it does not take the model.
#[derive(Debug, thiserror::Error)]
pub enum OllamaError {
    /// No answer, or none that an Ollama would give.
    #[error("{url} does not answer as an Ollama would: {cause}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// What was met.
        cause: String,
    },
    /// The model's file cannot be read.
    #[error("the model's file {file} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The model that it has by that name is made from another file.
    #[error("Ollama's model {model} is made from {found}, and the pinned file is sha256:{pinned}")]
    AnotherFile {
        /// Its name there.
        model: String,
        /// What it is made from there.
        found: String,
        /// What it has to be made from, in hex.
        pinned: String,
    },
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Shown {
    modelfile: String,
}

#[derive(Deserialize)]
struct Created {
    status: String,
}

impl OllamaApi {
    /// The Ollama at `url`, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made, which is a fault of the system.
    pub fn new(url: &str) -> reqwest::Result<Self> {
        // It is local or was named by the user: a proxy set for browsing has no say.
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(LIMIT)
            .build()?;
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Its version, which also says that it is one.
    pub async fn version(&self) -> Result<String, OllamaError> {
        let answer = self.ask(Method::GET, "/api/version", None).await?;
        Ok(read::<Version>(answer).await?.version)
    }

    /// Sees to it that it has the pinned model by its name: uploads the file unless it is there, makes the
    /// model from it, and reads back what it is made from.
    pub async fn provide(&self, model: &Gguf) -> Result<(), OllamaError> {
        self.version().await?;
        if self.made_from(model).await?.as_deref() == Some(&blob(model)) {
            return Ok(());
        }
        if !self.has_file(model).await? {
            self.upload(model).await?;
        }
        self.create(model).await?;
        match self.made_from(model).await? {
            Some(found) if found == blob(model) => Ok(()),
            found => Err(OllamaError::AnotherFile {
                model: model.name_at_ollama(),
                found: found.unwrap_or_else(|| "no file".to_owned()),
                pinned: model.sha256.clone(),
            }),
        }
    }

    async fn has_file(&self, model: &Gguf) -> Result<bool, OllamaError> {
        let path = path_of(model);
        let answer = self.send(Method::HEAD, &path, |request| request).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(false),
            _ => accepted(answer).await.map(|_| true),
        }
    }

    /// It compares the content with the digest itself, and refuses another one.
    async fn upload(&self, model: &Gguf) -> Result<(), OllamaError> {
        let file = File::open(&model.file).await;
        let file = file.map_err(|cause| OllamaError::Unreadable {
            file: model.file.to_string(),
            cause,
        })?;
        let path = path_of(model);
        let answer = self
            .send(Method::POST, &path, |request| request.body(file))
            .await?;
        accepted(answer).await.map(drop)
    }

    async fn create(&self, model: &Gguf) -> Result<(), OllamaError> {
        let file = model.file.file_name().unwrap_or(&model.name);
        let question = json!({
            "model": model.name_at_ollama(),
            "files": {file: format!("sha256:{}", model.sha256)},
            "stream": false,
        });
        let answer = self
            .ask(Method::POST, "/api/create", Some(&question))
            .await?;
        let url = answer.url().to_string();
        match read::<Created>(answer).await?.status.as_str() {
            "success" => Ok(()),
            other => Err(OllamaError::NoAnswer {
                url,
                cause: format!("the status {other:?} instead of \"success\""),
            }),
        }
    }

    /// The file that its model is made from, as it is named there; nothing when it has no such model.
    async fn made_from(&self, model: &Gguf) -> Result<Option<String>, OllamaError> {
        let question = json!({"model": model.name_at_ollama()});
        let shown = |request: reqwest::RequestBuilder| request.json(&question);
        let answer = self.send(Method::POST, "/api/show", shown).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let Shown { modelfile } = read(accepted(answer).await?).await?;
        let from = modelfile
            .lines()
            .find_map(|line| line.strip_prefix("FROM "));
        let name = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
        Ok(from.map(name))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        question: Option<&Value>,
    ) -> Result<reqwest::Response, OllamaError> {
        let complete = |request: reqwest::RequestBuilder| match question {
            Some(question) => request.json(question),
            None => request,
        };
        accepted(self.send(method, path, complete).await?).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        complete: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, OllamaError> {
        let url = format!("{}{path}", self.url);
        let request = complete(self.client.request(method, &url));
        request.send().await.map_err(|error| OllamaError::NoAnswer {
            url,
            cause: with_causes(&error),
        })
    }
}

fn path_of(model: &Gguf) -> String {
    format!("/api/blobs/sha256:{}", model.sha256)
}

/// How Ollama names a file that it keeps.
fn blob(model: &Gguf) -> String {
    format!("sha256-{}", model.sha256)
}

async fn accepted(answer: reqwest::Response) -> Result<reqwest::Response, OllamaError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let url = answer.url().to_string();
    let body = answer.text().await.unwrap_or_default();
    let shown: String = body.trim().chars().take(200).collect();
    Err(OllamaError::NoAnswer {
        url,
        cause: format!("HTTP {status}: {shown}"),
    })
}

async fn read<T: serde::de::DeserializeOwned>(answer: reqwest::Response) -> Result<T, OllamaError> {
    let url = answer.url().to_string();
    answer.json().await.map_err(|error| OllamaError::NoAnswer {
        url,
        cause: format!("an answer of another shape ({})", with_causes(&error)),
    })
}

#[cfg(test)]
mod tests;
