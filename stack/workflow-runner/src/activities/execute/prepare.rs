//! What the workflow of the tasks is given, from the records of the server.

use std::collections::BTreeMap;

use serde_json::{Map, json};
use stigmer_api::{
    Resource as _,
    execution_context::ExecutionValue,
    workflow::{Workflow, WorkflowSpec},
    workflow_execution::{WorkflowExecution, WorkflowExecutionSpec},
};

use crate::{
    backend::Backend,
    engine::{convert, document, secrets::Entry},
    temporal::WorkflowInput,
};

/// Reads the records and makes the input.
///
/// # Errors
///
/// Why that cannot be, in the contract's words.
pub(super) async fn input(
    backend: &Backend,
    execution: &WorkflowExecution,
) -> Result<WorkflowInput, String> {
    let spec = execution.spec.clone().unwrap_or_default();
    let workflow = workflow(backend, &spec).await?;
    let workflow_spec = workflow.spec.clone().unwrap_or_default();
    let yaml = yaml(&workflow_spec)?;
    let metadata = execution.metadata.clone().unwrap_or_default();
    Ok(WorkflowInput {
        workflow_execution_id: metadata.id,
        workflow_yaml: yaml,
        metadata: None,
        initial_data: trigger(&spec),
        env_vars: environment(spec),
        org_id: metadata.org,
    })
}

async fn workflow(backend: &Backend, spec: &WorkflowExecutionSpec) -> Result<Workflow, String> {
    let query = |error| format!("Failed to query workflow: {error}");
    if !spec.workflow_instance_id.is_empty() {
        let instance = backend.workflow_instance(&spec.workflow_instance_id).await;
        let instance =
            instance.map_err(|error| format!("Failed to query workflow instance: {error}"))?;
        return backend
            .workflow(&instance.spec.unwrap_or_default().workflow_id)
            .await
            .map_err(query);
    }
    if spec.workflow_id.is_empty() {
        return Err("execution must have either workflow_instance_id or workflow_id".to_owned());
    }
    let workflow = backend.workflow(&spec.workflow_id).await.map_err(query)?;
    let instance = workflow
        .status
        .as_ref()
        .map_or("", |status| &status.default_instance_id);
    if instance.is_empty() {
        return Err(format!(
            "workflow {} has no default instance configured",
            workflow.id()
        ));
    }
    Ok(workflow)
}

fn yaml(spec: &WorkflowSpec) -> Result<String, String> {
    let failed = |cause: String| format!("Failed to convert workflow to YAML: {cause}");
    let model = convert::workflow(spec)
        .map_err(|errors| failed(errors.first().map(ToString::to_string).unwrap_or_default()))?;
    document::write(&model).map_err(|error| failed(error.to_string()))
}

/// `$input`: what triggered the execution, when anything did.
fn trigger(spec: &WorkflowExecutionSpec) -> Map<String, serde_json::Value> {
    let mut trigger = Map::new();
    if !spec.trigger_message.is_empty() {
        trigger.insert("message".to_owned(), json!(spec.trigger_message));
    }
    if !spec.trigger_metadata.is_empty() {
        trigger.insert("metadata".to_owned(), json!(spec.trigger_metadata));
    }
    trigger
}

/// The environment, which the server has put together; defaults and environments are in it already.
fn environment(spec: WorkflowExecutionSpec) -> BTreeMap<String, Entry> {
    let entry = |(key, value): (String, ExecutionValue)| {
        let ExecutionValue { value, is_secret } = value;
        (key, Entry { value, is_secret })
    };
    spec.runtime_env.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_what_the_server_sent_empty_values_too() {
        let value = |value: &str, is_secret| ExecutionValue {
            value: value.into(),
            is_secret,
        };
        let spec = WorkflowExecutionSpec {
            runtime_env: [
                ("REGION".to_owned(), value("us", false)),
                ("TOKEN".to_owned(), value("t", true)),
                ("EMPTY".to_owned(), value("", false)),
            ]
            .into(),
            ..Default::default()
        };
        let shown = environment(spec)
            .into_iter()
            .map(|(key, entry)| format!("{key}={}:{}", entry.value, entry.is_secret))
            .collect::<Vec<_>>();
        assert_eq!(shown, ["EMPTY=:false", "REGION=us:false", "TOKEN=t:true"]);
    }

    #[test]
    fn nothing_triggered_is_no_input() {
        assert!(trigger(&WorkflowExecutionSpec::default()).is_empty());
        let spec = WorkflowExecutionSpec {
            trigger_message: "go".into(),
            ..Default::default()
        };
        assert_eq!(trigger(&spec)["message"], json!("go"));
    }
}
