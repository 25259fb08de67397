//! What the interpreting workflow is given and what it gives back, in the contract's names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use stigmer_api::{
    json::{from_json, to_json},
    workflow_execution::WorkflowTask,
};
use temporalio_common::{
    data_converters::{
        GenericPayloadConverter as _, PayloadConversionError, PayloadConverter, RawValue,
        SerializationContext, SerializationContextData, TemporalDeserializable,
    },
    protos::temporal::api::common::v1::Payload,
};

use crate::engine::secrets::Entry;

/// The most bytes that one argument or result may have: Temporal refuses payloads of 2 MiB, and
/// ends the workflow that sends one.
pub const MAX_PAYLOAD: usize = 1900 * 1024;

/// The one argument of `ExecuteServerlessWorkflow`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WorkflowInput {
    /// The execution to report to; empty for a workflow run by another one.
    #[serde(rename = "WorkflowExecutionID")]
    pub workflow_execution_id: String,
    /// The workflow's document.
    pub workflow_yaml: String,
    /// What one run tells the next, see [`Metadata`].
    #[serde(default)]
    pub metadata: Option<Metadata>,
    /// `$input`; null when empty.
    #[serde(default)]
    pub initial_data: Map<String, Json>,
    /// The environment, by name.
    #[serde(default)]
    pub env_vars: BTreeMap<String, Entry>,
    /// The org of the execution.
    #[serde(default)]
    pub org_id: String,
}

/// What a workflow tells one that it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Workflows around it.
    #[serde(default)]
    pub depth: u32,
    /// What makes the markers of secrets in its input.
    #[serde(default)]
    pub secret_marker: String,
}

/// The result of `ExecuteServerlessWorkflow`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WorkflowOutput {
    /// The output of the last task.
    pub result: Json,
    /// All of `$data`.
    #[serde(default)]
    pub final_state: Map<String, Json>,
    /// The workflow's name.
    #[serde(default)]
    pub workflow_name: String,
    /// The execution.
    #[serde(default, rename = "ExecutionID")]
    pub execution_id: String,
    /// How long it took, in nanoseconds.
    #[serde(default)]
    pub execution_time: u64,
    /// The record of the tasks; an addition to the contract.
    #[serde(default)]
    pub tasks: TaskRecords,
}

/// Records of tasks, which travel as canonical JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskRecords(pub Vec<WorkflowTask>);

impl Serialize for TaskRecords {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(to_json))
    }
}

impl<'de> Deserialize<'de> for TaskRecords {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let records = Vec::<Json>::deserialize(deserializer)?;
        let records = records.iter().map(from_json).collect::<Result<_, _>>();
        records.map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads the first of `payloads`, in place of the SDK, which would try an unreadable argument again
/// for ever.
///
/// # Errors
///
/// When there is none, or it does not describe a `T`.
pub fn read<T: TemporalDeserializable + 'static>(
    converter: &PayloadConverter,
    payloads: RawValue,
) -> Result<T, PayloadConversionError> {
    let context = SerializationContext::new(&SerializationContextData::None, converter);
    converter.from_payloads(&context, payloads.payloads)
}

/// The JSON in the first of `payloads`; null when there is none.
///
/// # Errors
///
/// When it is not JSON.
pub fn json_of(payloads: &[Payload]) -> Result<Json, serde_json::Error> {
    match payloads.first() {
        Some(payload) if !payload.data.is_empty() => serde_json::from_slice(&payload.data),
        _ => Ok(Json::Null),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_messages_have_the_names_of_the_contract() {
        let input = json!({
            "WorkflowExecutionID": "wex-1", "WorkflowYaml": "document: {}", "Metadata": null, "InitialData": {},
            "EnvVars": {"K": {"value": "v", "is_secret": true}}, "OrgId": "local"
        });
        let read: WorkflowInput = serde_json::from_value(input.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), input);
        let output = serde_json::to_value(WorkflowOutput::default()).unwrap();
        let names = output
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                "ExecutionID",
                "ExecutionTime",
                "FinalState",
                "Result",
                "Tasks",
                "WorkflowName"
            ]
        );
    }

    #[test]
    fn records_survive_as_json() {
        let record = WorkflowTask {
            task_id: "a".into(),
            status: 3,
            ..Default::default()
        };
        let output = WorkflowOutput {
            tasks: TaskRecords(vec![record]),
            ..Default::default()
        };
        let json = serde_json::to_value(&output).unwrap();
        assert_eq!(
            json["Tasks"],
            json!([{"taskId": "a", "status": "WORKFLOW_TASK_COMPLETED"}])
        );
        assert_eq!(
            serde_json::from_value::<WorkflowOutput>(json).unwrap(),
            output
        );
    }
}
