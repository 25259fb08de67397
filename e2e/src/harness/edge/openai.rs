//! The shapes of the OpenAI chat API that the scripted model speaks.

use serde_json::{Value, json};

pub(super) const MODEL: &str = "scripted";

/// One server-sent event with a piece of the answer.
pub(super) fn chunk(id: u64, model: &str, delta: &Value, finish: Option<&str>) -> String {
    event(&json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion.chunk", "created": 0, "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }))
}

/// The event with the token counts, sent last when the request asked for it.
pub(super) fn usage_chunk(id: u64, model: &str, tokens: usize) -> String {
    event(&json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion.chunk", "created": 0, "model": model,
        "choices": [], "usage": usage(tokens),
    }))
}

/// The end of every stream.
pub(super) const DONE: &str = "data: [DONE]\n\n";

/// The whole answer in one object.
pub(super) fn completion(id: u64, model: &str, text: &str, tokens: usize) -> Value {
    json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": usage(tokens),
    })
}

/// An error body.
pub(super) fn error(code: u16, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "type": "scripted_error"}})
}

/// The model list.
pub(super) fn models() -> Value {
    json!({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "tests"}]})
}

fn usage(tokens: usize) -> Value {
    json!({"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1})
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}
