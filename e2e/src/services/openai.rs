//! An OpenAI-compatible API, asked whether it has a model and whether the model answers.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::with_causes;

/// A model behind an OpenAI-compatible API.
#[derive(Clone, Debug)]
pub struct ModelApi {
    client: reqwest::Client,
    base_url: String,
    model: String,
}

/// The API does not have the model, or not in working order.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No answer, or none that such an API would give.
    #[error("{url} gives no OpenAI answer: {cause}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// What was met.
        cause: String,
    },
    /// The API has no such model.
    #[error(
        "{base_url} has no model {model:?} (it has {listed}); `ollama pull {model}` gets it for Ollama"
    )]
    NoModel {
        /// The API.
        base_url: String,
        /// The model that was looked for.
        model: String,
        /// The models it lists.
        listed: String,
    },
}

#[derive(Deserialize)]
struct ModelList {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<serde_json::Value>,
}

impl ModelApi {
    /// The model named `model` at `base_url` (up to and including `/v1`). Each question may take
    /// `limit`.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made, which is a fault of the system.
    pub fn new(base_url: &str, model: &str, limit: Duration) -> reqwest::Result<Self> {
        // Everything asked here is local or was named by the user: a proxy set for browsing has no say.
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(limit)
            .build()?;
        Ok(Self {
            client,
            base_url: base_url.trim_end_matches('/').to_owned(),
            model: model.to_owned(),
        })
    }

    /// Whether the API lists the model.
    pub async fn lists_model(&self) -> Result<(), ModelError> {
        let url = format!("{}/models", self.base_url);
        let list: ModelList = answer(&url, self.client.get(&url)).await?;
        if list.data.iter().any(|listed| listed.id == self.model) {
            return Ok(());
        }
        let listed: Vec<_> = list.data.into_iter().map(|listed| listed.id).collect();
        Err(ModelError::NoModel {
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            listed: if listed.is_empty() {
                "none".to_owned()
            } else {
                listed.join(", ")
            },
        })
    }

    /// Whether the model generates a token.
    pub async fn generates(&self) -> Result<(), ModelError> {
        let url = format!("{}/chat/completions", self.base_url);
        let question = json!({
            "model": self.model,
            // A short system message in place of a template's long one: every token costs milliseconds.
            "messages": [{"role": "system", "content": "."}, {"role": "user", "content": "Hi"}],
            "max_tokens": 1,
        });
        let completion: Completion = answer(&url, self.client.post(&url).json(&question)).await?;
        match completion.choices.is_empty() {
            false => Ok(()),
            true => Err(ModelError::NoAnswer {
                url,
                cause: "a completion without choices".to_owned(),
            }),
        }
    }
}

async fn answer<T: serde::de::DeserializeOwned>(
    url: &str,
    request: reqwest::RequestBuilder,
) -> Result<T, ModelError> {
    let no_answer = |cause: String| ModelError::NoAnswer {
        url: url.to_owned(),
        cause,
    };
    let response = request
        .send()
        .await
        .map_err(|error| no_answer(with_causes(&error)))?;
    let status = response.status();
    let body = response
        .text()
        .await
        .map_err(|error| no_answer(with_causes(&error)))?;
    if !status.is_success() {
        let shown: String = body.chars().take(200).collect();
        return Err(no_answer(format!("HTTP {status}: {shown}")));
    }
    serde_json::from_str(&body)
        .map_err(|error| no_answer(format!("an answer of another shape ({error})")))
}

#[cfg(test)]
mod tests {
    use axum::{
        Json, Router,
        routing::{get, post},
    };
    use tokio::net::TcpListener;

    use super::*;

    /// Serves `router` on a free port and returns the base URL.
    async fn served(router: Router) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        base_url
    }

    fn api(base_url: &str) -> ModelApi {
        ModelApi::new(base_url, "m1", Duration::from_millis(500)).unwrap()
    }

    #[tokio::test]
    async fn a_listed_model_that_generates_is_accepted() {
        let router = Router::new()
            .route(
                "/v1/models",
                get(|| async { Json(json!({"data": [{"id": "m1"}]})) }),
            )
            .route(
                "/v1/chat/completions",
                post(|| async { Json(json!({"choices": [{}]})) }),
            );
        let api = api(&served(router).await);
        api.lists_model().await.unwrap();
        api.generates().await.unwrap();
    }

    #[tokio::test]
    async fn an_absent_model_is_named_with_what_is_there_and_how_to_get_it() {
        let router = Router::new().route(
            "/v1/models",
            get(|| async { Json(json!({"data": [{"id": "m2"}]})) }),
        );
        let error = api(&served(router).await)
            .lists_model()
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(r#"no model "m1" (it has m2); `ollama pull m1`"#),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_web_server_that_is_no_model_api_gives_no_answer() {
        let router = Router::new().route("/v1/models", get(|| async { "<html>" }));
        let error = api(&served(router).await).lists_model().await.unwrap_err();
        assert!(matches!(error, ModelError::NoAnswer { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_plain_listener_that_hangs_up_gives_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        let error = api(&base_url).lists_model().await.unwrap_err();
        assert!(matches!(error, ModelError::NoAnswer { .. }), "{error}");
    }

    #[tokio::test]
    async fn nobody_at_all_gives_no_answer() {
        let base_url = format!(
            "http://127.0.0.1:{}/v1",
            crate::services::free_port().unwrap()
        );
        let error = api(&base_url).lists_model().await.unwrap_err();
        assert!(matches!(error, ModelError::NoAnswer { .. }), "{error}");
    }
}
