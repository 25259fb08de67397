//! Canonical protobuf JSON, and the bridge between `google.protobuf.Struct` and `serde_json`.

use prost::Message;
use prost_reflect::{DeserializeOptions, DynamicMessage, ReflectMessage, Value as Dynamic};
use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::{Map, Number, Value as Json};

/// The JSON does not describe the message.
#[derive(Debug, thiserror::Error)]
#[error("not a {message} in protobuf JSON: {reason}")]
pub struct JsonError {
    /// The full name of the message that was asked for.
    pub message: String,
    /// What the parser objected to.
    pub reason: String,
}

/// `message` as canonical protobuf JSON: lowerCamelCase names, unset fields left out, enum values
/// by name. A number inside a `Struct` that JSON does not have becomes a text; validation refuses such
/// messages, but one that comes from elsewhere must be shown as well.
pub fn to_json<M: ReflectMessage>(message: &M) -> Json {
    let mut message = message.transcode_to_dynamic();
    serde_json::to_value(&message).unwrap_or_else(|_| {
        write_out_non_finite(&mut message);
        // Nothing else fails: map keys are strings.
        serde_json::to_value(&message).expect("a message serialises to JSON")
    })
}

fn write_out_non_finite(message: &mut DynamicMessage) {
    let mut text = None;
    for (_, value) in message.fields_mut() {
        match value {
            Dynamic::F64(number) if !number.is_finite() => text = Some(number.to_string()),
            Dynamic::Message(inner) => write_out_non_finite(inner),
            Dynamic::List(items) => items.iter_mut().for_each(in_item),
            Dynamic::Map(entries) => entries.values_mut().for_each(in_item),
            _ => {}
        }
    }
    // Only a `google.protobuf.Value` has doubles.
    if let Some(text) = text {
        message.set_field_by_name("string_value", Dynamic::String(text));
    }
}

fn in_item(item: &mut Dynamic) {
    if let Dynamic::Message(inner) = item {
        write_out_non_finite(inner);
    }
}

/// A message from protobuf JSON; both lowerCamelCase and snake_case names are read.
pub fn from_json<M: ReflectMessage + Default>(json: &Json) -> Result<M, JsonError> {
    let descriptor = M::default().descriptor();
    let fail = |reason: String| JsonError {
        message: descriptor.full_name().to_owned(),
        reason,
    };
    let dynamic = DynamicMessage::deserialize_with_options(
        descriptor.clone(),
        json,
        &DeserializeOptions::new().deny_unknown_fields(true),
    )
    .map_err(|e| fail(e.to_string()))?;
    let bytes = dynamic.encode_to_vec();
    M::decode(bytes.as_slice()).map_err(|e| fail(e.to_string()))
}

/// A JSON object as a `Struct`; numbers become doubles, as the format demands.
pub fn to_struct(object: Map<String, Json>) -> Struct {
    Struct {
        fields: object.into_iter().map(|(k, v)| (k, to_value(v))).collect(),
    }
}

/// A `Struct` as a JSON object; whole numbers within ±2^53 come back as integers.
pub fn from_struct(message: &Struct) -> Map<String, Json> {
    message
        .fields
        .iter()
        .map(|(k, v)| (k.clone(), from_value(v)))
        .collect()
}

/// A JSON value as a protobuf `Value`.
pub fn to_value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(b) => Kind::BoolValue(b),
        // Every JSON number of serde_json without arbitrary precision fits a double.
        Json::Number(n) => Kind::NumberValue(n.as_f64().unwrap_or(f64::NAN)),
        Json::String(s) => Kind::StringValue(s),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(to_value).collect(),
        }),
        Json::Object(object) => Kind::StructValue(to_struct(object)),
    };
    Value { kind: Some(kind) }
}

/// A protobuf `Value` as JSON.
pub fn from_value(value: &Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(b)) => Json::Bool(*b),
        Some(Kind::NumberValue(n)) => from_number(*n),
        Some(Kind::StringValue(s)) => Json::String(s.clone()),
        Some(Kind::ListValue(list)) => Json::Array(list.values.iter().map(from_value).collect()),
        Some(Kind::StructValue(object)) => Json::Object(from_struct(object)),
    }
}

fn from_number(number: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Json::Number(Number::from(number as i64))
    } else {
        Number::from_f64(number).map_or(Json::Null, Json::Number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        agent_execution::{AgentExecution, AgentExecutionStatus, ExecutionPhase},
        workflow_execution::{WorkflowExecution, WorkflowExecutionStatus},
    };

    #[test]
    fn canonical_json_uses_camel_case_enum_names_and_no_unset_fields() {
        let execution = AgentExecution {
            api_version: "agentic.stigmer.ai/v1".into(),
            status: Some(AgentExecutionStatus {
                phase: ExecutionPhase::ExecutionInProgress as i32,
                started_at: "2026-01-01T00:00:00Z".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let json = to_json(&execution);
        assert_eq!(
            json,
            json!({"apiVersion": "agentic.stigmer.ai/v1",
                   "status": {"phase": "EXECUTION_IN_PROGRESS", "startedAt": "2026-01-01T00:00:00Z"}})
        );
        assert_eq!(from_json::<AgentExecution>(&json).unwrap(), execution);
    }

    #[test]
    fn unknown_fields_and_wrong_types_name_the_message() {
        let error = from_json::<AgentExecution>(&json!({"apiVersion": 7})).unwrap_err();
        assert_eq!(
            error.message,
            "ai.stigmer.agentic.agentexecution.v1.AgentExecution"
        );
        assert!(from_json::<AgentExecution>(&json!({"nope": 1})).is_err());
    }

    #[test]
    fn a_struct_keeps_nesting_and_whole_numbers() {
        let object = json!({"a": [1, 2.5, null, true], "b": {"c": "d"}});
        let Json::Object(map) = object.clone() else {
            unreachable!("an object literal")
        };
        assert_eq!(Json::Object(from_struct(&to_struct(map))), object);
    }

    #[test]
    fn a_number_that_json_does_not_have_is_a_text_and_against_the_rules() {
        let infinite = Value {
            kind: Some(Kind::NumberValue(f64::INFINITY)),
        };
        let list = Value {
            kind: Some(Kind::ListValue(ListValue {
                values: vec![infinite],
            })),
        };
        let execution = WorkflowExecution {
            status: Some(WorkflowExecutionStatus {
                output: Some(Struct {
                    fields: [("far".to_owned(), list)].into(),
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(
            to_json(&execution)["status"]["output"]["far"],
            json!(["inf"])
        );
        let violations = crate::validate::validate(&execution).unwrap_err().0;
        assert!(
            violations
                .iter()
                .any(|violation| violation.text == "inf is not a finite number"),
            "{violations:?}"
        );
    }
}
