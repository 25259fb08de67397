//! Asking an LLM's server which models it has.

use std::time::Duration;

use serde::Deserialize;

use super::{LlmClient, body_excerpt, cause};

/// A list is short and needs no model.
const LIMIT: Duration = Duration::from_secs(10);

/// The model cannot be used from here.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// Nobody answered.
    #[error("GET {url} got no answer: {cause}; is STIGMER_LLM_BASE_URL right?")]
    Unreachable {
        /// What was called.
        url: String,
        /// What the transport met.
        cause: String,
    },
    /// Somebody answered something else.
    #[error("GET {url} was answered with something that is no list of models: {answer}")]
    NoList {
        /// What was called.
        url: String,
        /// The status, or what is wrong with the answer.
        answer: String,
    },
    /// It is not among the models.
    #[error("{url} does not list the model {model:?}, only: {listed}; is STIGMER_LLM_MODEL right?")]
    Absent {
        /// What was called.
        url: String,
        /// The model that was looked for.
        model: String,
        /// The models that are there.
        listed: String,
    },
}

#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

impl LlmClient {
    /// Whether the server lists the model of executions that name none.
    pub async fn lists_default_model(&self) -> Result<(), ModelsError> {
        let mut url = self.settings.base_url.clone();
        url.set_path(&format!("{}/models", url.path()));
        let shown = super::without_credentials(&url);
        let mut request = self.http.get(url).timeout(LIMIT);
        if let Some(key) = &self.settings.api_key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| ModelsError::Unreachable {
            url: shown.clone(),
            cause: cause(error),
        })?;
        let status = answer.status();
        if !status.is_success() {
            let body = body_excerpt(answer).await;
            return Err(ModelsError::NoList {
                url: shown,
                answer: format!("{status}: {body}"),
            });
        }
        let Models { data } = answer.json().await.map_err(|error| ModelsError::NoList {
            url: shown.clone(),
            answer: cause(error),
        })?;
        let model = self.default_model();
        if data.iter().any(|listed| listed.id == model) {
            return Ok(());
        }
        let listed: Vec<_> = data.into_iter().map(|listed| listed.id).collect();
        Err(ModelsError::Absent {
            url: shown,
            model: model.to_owned(),
            listed: listed.join(", "),
        })
    }
}
