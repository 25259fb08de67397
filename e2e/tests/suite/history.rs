//! What travelled through Temporal, out of a history.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// The payloads in `history`, JSON text whose payloads are readable, that are JSON objects.
pub fn payloads(history: &str) -> Vec<Value> {
    let mut found = Vec::new();
    if let Ok(history) = serde_json::from_str(history) {
        collect(&history, &mut found);
    }
    found
}

fn collect(json: &Value, found: &mut Vec<Value>) {
    match json {
        Value::String(text) => {
            let decoded = STANDARD.decode(text).unwrap_or_default();
            found.extend(
                serde_json::from_slice(&decoded)
                    .ok()
                    .filter(Value::is_object),
            );
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_wherever_they_are() {
        let payload = STANDARD.encode(r#"{"a": 1}"#);
        let history =
            format!(r#"{{"events": [{{"input": {{"data": "{payload}"}}, "x": "text"}}]}}"#);
        assert_eq!(payloads(&history), [serde_json::json!({"a": 1})]);
        assert!(payloads("no JSON").is_empty());
    }
}
