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

/// A call of a tool as a whole answer holds it.
pub(super) fn call(id: u64, index: usize, name: &str, arguments: &str) -> Value {
    json!({
        "id": call_id(id, index), "type": "function",
        "function": {"name": name, "arguments": arguments},
    })
}

/// The pieces of a call in a stream: its name first, then its arguments in two halves.
pub(super) fn call_deltas(id: u64, index: usize, name: &str, arguments: &str) -> Vec<Value> {
    let middle = arguments
        .char_indices()
        .nth(arguments.chars().count() / 2)
        .map_or(0, |(position, _)| position);
    let (first, second) = arguments.split_at(middle);
    let begin = json!({
        "index": index, "id": call_id(id, index), "type": "function",
        "function": {"name": name, "arguments": ""},
    });
    let piece = |text: &str| json!({"index": index, "function": {"arguments": text}});
    [begin, piece(first), piece(second)]
        .map(|call| json!({"tool_calls": [call]}))
        .to_vec()
}

fn call_id(id: u64, index: usize) -> String {
    format!("call_{id}_{index}")
}

/// The whole answer in one object.
pub(super) fn completion(
    id: u64,
    model: &str,
    text: &str,
    calls: Vec<Value>,
    tokens: usize,
) -> Value {
    let mut message = json!({"role": "assistant", "content": text});
    let reason = if calls.is_empty() {
        "stop"
    } else {
        message["tool_calls"] = calls.into();
        "tool_calls"
    };
    json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
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

/// The text in one event of a stream, given as what follows `data: `.
pub(super) fn said(data: &str) -> Option<String> {
    let event: Value = serde_json::from_str(data).ok()?;
    event["choices"][0]["delta"]["content"]
        .as_str()
        .map(str::to_owned)
}

fn usage(tokens: usize) -> Value {
    json!({"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1})
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}
