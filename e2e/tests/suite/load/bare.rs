//! The model, asked without a stack in between.

use std::time::Duration;

use serde_json::json;
use stigmer_e2e::harness::{Broken, ScriptLlm};

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Asks the scripted model.
pub struct Model {
    client: reqwest::Client,
    url: String,
    question: serde_json::Value,
}

impl Model {
    /// What asks `llm`.
    pub fn of(llm: &ScriptLlm) -> Result<Self, Broken> {
        let client = reqwest::Client::builder().timeout(LIMIT).no_proxy().build();
        Ok(Self {
            client: client.map_err(|error| broken(&error))?,
            url: format!("{}/chat/completions", llm.base_url()),
            question: json!({
                "model": llm.model(),
                "messages": [{"role": "user", "content": "Two and two?"}],
                "stream": true,
            }),
        })
    }

    /// One question, and its whole answer.
    pub async fn ask(&self) -> Result<(), Broken> {
        let request = self.client.post(&self.url).json(&self.question);
        let answer = request.send().await.map_err(|error| broken(&error))?;
        let answer = answer.error_for_status().map_err(|error| broken(&error))?;
        let text = answer.text().await.map_err(|error| broken(&error))?;
        match text.contains("[DONE]") {
            true => Ok(()),
            false => Err(Broken(format!("the model's answer has no end: {text}"))),
        }
    }
}

fn broken(error: &reqwest::Error) -> Broken {
    Broken(format!("a direct call to the model: {error}"))
}
