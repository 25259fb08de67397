//! The body of a chat completion request.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::settings::LlmSettings;

/// One message of a conversation, as the API knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The instructions.
    System,
    /// The person who asks.
    User,
    /// The model.
    Assistant,
}

impl ChatMessage {
    /// A message of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
        }
    }
}

/// The request that asks `model` to go on with `messages`. Extra fields of the settings come on top,
/// and replace `max_tokens` and `stream_options` where they name them.
pub fn body(settings: &LlmSettings, model: &str, messages: &[ChatMessage]) -> Value {
    let mut body = Map::from_iter([
        ("model".to_owned(), json!(model)),
        ("messages".to_owned(), json!(messages)),
        ("stream".to_owned(), json!(true)),
        ("stream_options".to_owned(), json!({"include_usage": true})),
    ]);
    if let Some(tokens) = settings.max_tokens {
        body.insert("max_tokens".to_owned(), json!(tokens));
    }
    body.extend(settings.extra_body.clone());
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(extra: Value) -> LlmSettings {
        let Value::Object(extra_body) = extra else {
            panic!("an object")
        };
        LlmSettings {
            base_url: "http://localhost:1/v1".parse().unwrap(),
            model: "unused".to_owned(),
            api_key: None,
            max_tokens: Some(64),
            extra_body,
        }
    }

    #[test]
    fn the_body_asks_for_a_stream_with_usage() {
        let messages = [
            ChatMessage::new(Role::System, "Be brief."),
            ChatMessage::new(Role::User, "Hi"),
        ];
        assert_eq!(
            body(&settings(json!({"seed": 7})), "m", &messages),
            json!({
                "model": "m",
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
                "stream": true,
                "stream_options": {"include_usage": true},
                "max_tokens": 64,
                "seed": 7,
            })
        );
    }

    #[test]
    fn extra_fields_win_over_the_limit() {
        assert_eq!(
            body(&settings(json!({"max_tokens": 8})), "m", &[])["max_tokens"],
            8
        );
    }
}
