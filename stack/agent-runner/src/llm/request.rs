//! The body of a chat completion request.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::ToolRequest;
use crate::settings::LlmSettings;

/// What a model is asked.
#[derive(Clone, Copy, Debug)]
pub struct ChatRequest<'a> {
    /// The model.
    pub model: &'a str,
    /// The conversation to go on with.
    pub messages: &'a [ChatMessage],
    /// The tools it may ask for.
    pub tools: &'a [ToolSpec],
    /// How freely it chooses its words; its server decides when unset.
    pub temperature: Option<f64>,
}

/// A tool as the model knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSpec {
    /// What the model calls it by: at most 64 of the characters `a-z A-Z 0-9 _ -`.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON schema of its arguments, an object.
    pub parameters: Map<String, Value>,
}

/// One message of a conversation, as the API knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// The tools that the model asks for with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolRequest>,
    /// The call whose result this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
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
    /// A tool, with its result.
    Tool,
}

impl ChatMessage {
    /// A message of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }

    /// What the model said and which tools it asked for.
    pub fn asking(content: impl Into<String>, tool_calls: Vec<ToolRequest>) -> Self {
        Self {
            tool_calls,
            ..Self::new(Role::Assistant, content)
        }
    }

    /// The result of the call with this id.
    pub fn result(tool_call_id: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            tool_call_id: Some(tool_call_id.into()),
            ..Self::new(Role::Tool, content)
        }
    }
}

impl Serialize for ToolRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Servers parse the arguments of earlier calls, and refuse the request when they cannot.
        let arguments = match self.parsed_arguments() {
            Ok(_) => self.arguments.as_str(),
            Err(_) => "{}",
        };
        let function = json!({"name": self.name, "arguments": arguments});
        json!({"id": self.id, "type": "function", "function": function}).serialize(serializer)
    }
}

/// The body that asks for `request`. Extra fields of the settings come on top, and replace `max_tokens`
/// and `stream_options` where they name them; the request's own temperature comes last.
pub fn body(settings: &LlmSettings, request: &ChatRequest<'_>) -> Value {
    let mut body = Map::from_iter([
        ("model".to_owned(), json!(request.model)),
        ("messages".to_owned(), json!(request.messages)),
        ("stream".to_owned(), json!(true)),
        ("stream_options".to_owned(), json!({"include_usage": true})),
    ]);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let ToolSpec {
                name,
                description,
                parameters,
            } = tool;
            json!({
                "type": "function",
                "function": {"name": name, "description": description, "parameters": parameters},
            })
        });
        body.insert("tools".to_owned(), tools.collect());
    }
    if let Some(tokens) = settings.max_tokens {
        body.insert("max_tokens".to_owned(), json!(tokens));
    }
    body.extend(settings.extra_body.clone());
    if let Some(temperature) = request.temperature {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    stigmer_fault::inject!(TemperatureDropped, {
        body.retain(|name, value| name != "temperature" || value.as_f64() != Some(0.0));
    });
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

    fn request(messages: &[ChatMessage]) -> ChatRequest<'_> {
        ChatRequest {
            model: "m",
            messages,
            tools: &[],
            temperature: None,
        }
    }

    #[test]
    fn the_body_asks_for_a_stream_with_usage() {
        let messages = [
            ChatMessage::new(Role::System, "Be brief."),
            ChatMessage::new(Role::User, "Hi"),
        ];
        assert_eq!(
            body(&settings(json!({"seed": 7})), &request(&messages)),
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
    fn extra_fields_win_over_the_limit_and_the_execution_over_extra_fields() {
        let settings = settings(json!({"max_tokens": 8, "temperature": 0.7}));
        let mut request = request(&[]);
        let plain = body(&settings, &request);
        assert_eq!(
            (&plain["max_tokens"], &plain["temperature"]),
            (&json!(8), &json!(0.7))
        );
        request.temperature = Some(0.0);
        assert_eq!(body(&settings, &request)["temperature"], json!(0.0));
    }

    #[test]
    fn tools_their_calls_and_their_results_are_told() {
        let call = |id: &str, arguments: &str| ToolRequest {
            id: id.to_owned(),
            name: "add".to_owned(),
            arguments: arguments.to_owned(),
        };
        let messages = [
            ChatMessage::asking("", vec![call("c1", r#"{"a":1}"#), call("c2", "{broken")]),
            ChatMessage::result("c1", "3"),
        ];
        let tool = ToolSpec {
            name: "add".to_owned(),
            description: "Adds.".to_owned(),
            parameters: Map::from_iter([("type".to_owned(), json!("object"))]),
        };
        let tools = [tool];
        let body = body(
            &settings(json!({})),
            &ChatRequest {
                tools: &tools,
                ..request(&messages)
            },
        );
        let asked = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "add", "arguments": arguments}});
        assert_eq!(
            body["messages"],
            json!([
                {"role": "assistant", "content": "", "tool_calls": [asked("c1", r#"{"a":1}"#), asked("c2", "{}")]},
                {"role": "tool", "content": "3", "tool_call_id": "c1"},
            ])
        );
        assert_eq!(
            body["tools"],
            json!([{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}])
        );
    }
}
