//! Fixture 07: a workflow, applied to an empty environment.

use serde_json::Value;
use stigmer_api::{
    ApiResourceKind, LOCAL_ORG, Resource, commons::WorkflowTaskKind, json::to_json,
    workflow::Workflow, workflow_instance::WorkflowInstance,
};
use stigmer_e2e::harness::{CheckError, Environment, Test, story};

use crate::{fixture::Deployed, then::Refusal};

/// The applied fixture, and its workflow as the API has it.
async fn applied(t: &Test) -> Result<(Environment, Deployed, Workflow), CheckError> {
    let env = t.environment().without_agent_runner().start().await?;
    let deployed = Deployed::apply(t, &env, "07").await?;
    t.step("read the workflow back");
    let workflow = env.api().get(deployed.id("basic-data-fetch")?).await?;
    Ok((env, deployed, workflow))
}

#[test]
fn app_05_the_workflow_is_listed_and_stored_with_its_document() {
    story(async |t| {
        let (env, deployed, workflow) = applied(&t).await?;
        assert_eq!(
            deployed.rows[0].known(),
            ("Workflow", "basic-data-fetch", "✓ Created")
        );
        let metadata = workflow.metadata().cloned().unwrap_or_default();
        assert_eq!(metadata.org, LOCAL_ORG);
        let spec = workflow.spec.clone().unwrap_or_default();
        let document = spec.document.clone().unwrap_or_default();
        assert_eq!(
            (
                document.namespace.as_str(),
                document.version.as_str(),
                document.dsl.as_str()
            ),
            ("data-processing", "1.0.0", "1.0.0")
        );
        assert!(!spec.description.is_empty() && !document.description.is_empty());
        assert_eq!(env.store().count(ApiResourceKind::Workflow)?, 1);
        assert_eq!(
            env.api().by_slug::<Workflow>(&metadata.slug).await?,
            workflow
        );
        Ok(())
    });
}

#[test]
fn app_06_its_two_tasks_are_stored_in_order() {
    story(async |t| {
        let (_env, _, workflow) = applied(&t).await?;
        let tasks = workflow.spec.unwrap_or_default().tasks;
        let known = tasks.iter().map(|task| (task.name.as_str(), task.kind()));
        assert_eq!(
            known.collect::<Vec<_>>(),
            [
                ("fetchPullRequest", WorkflowTaskKind::HttpCall),
                ("processResponse", WorkflowTaskKind::Set)
            ]
        );
        Ok(())
    });
}

#[test]
fn app_07_its_one_variable_is_a_secret_without_a_value() {
    story(async |t| {
        let (_env, _, workflow) = applied(&t).await?;
        let variables = workflow.spec.unwrap_or_default().env_spec;
        let variables = variables.unwrap_or_default().data;
        assert_eq!(variables.keys().collect::<Vec<_>>(), ["API_TOKEN"]);
        let token = &variables["API_TOKEN"];
        assert!(token.is_secret);
        assert!(!token.description.is_empty());
        assert_eq!(token.value, "");
        Ok(())
    });
}

#[test]
fn app_08_it_has_a_default_instance_that_points_back() {
    story(async |t| {
        let (env, deployed, workflow) = applied(&t).await?;
        let status = workflow.status.unwrap_or_default();
        let instance: WorkflowInstance = env.api().get(&status.default_instance_id).await?;
        assert_eq!(instance.name(), "basic-data-fetch-default");
        let workflow_id = instance.spec.unwrap_or_default().workflow_id;
        assert_eq!(workflow_id, deployed.id("basic-data-fetch")?);
        assert_eq!(env.store().count(ApiResourceKind::WorkflowInstance)?, 1);
        Ok(())
    });
}

/// The task `name` as JSON.
fn task(workflow: &Workflow, name: &str) -> Value {
    let tasks = workflow.spec.iter().flat_map(|spec| &spec.tasks);
    let task = tasks.filter(|task| task.name == name).map(to_json).next();
    task.unwrap_or_default()
}

/// Every text in `json`.
fn texts(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn app_09_values_known_to_the_program_are_stored_resolved() {
    story(async |t| {
        let (env, _, workflow) = applied(&t).await?;
        let config = task(&workflow, "fetchPullRequest")["taskConfig"].take();
        assert_eq!(
            config["endpoint"]["uri"],
            env.hub().url("/repos/stigmer/hello-stigmer/pulls/1")
        );
        let texts = texts(&config);
        assert!(
            texts.len() >= 4,
            "a method, an address, two headers: {config}"
        );
        for text in texts {
            let unresolved = text.is_empty() || text.contains(['{', '&']);
            assert!(!unresolved, "{text:?} is left in {config}");
        }
        Ok(())
    });
}

#[test]
fn app_10_fields_refer_to_the_task_before_and_fail_without_it() {
    story(async |t| {
        let (env, _, workflow) = applied(&t).await?;
        let variables = task(&workflow, "processResponse")["taskConfig"]["variables"].take();
        for name in ["prTitle", "prBody", "prState", "prAuthor"] {
            let value = variables[name].as_str().unwrap_or_default();
            assert!(
                value.starts_with("${ $context[\"fetchPullRequest\"]."),
                "{name} is {value:?}"
            );
        }
        t.step("the same workflow with its two tasks the other way round");
        let refusal = Refusal::expected(&env)?;
        let mut reordered = workflow.clone();
        *reordered.metadata_mut() = Workflow::envelope().metadata.unwrap_or_default();
        reordered.metadata_mut().name = "reordered".to_owned();
        reordered.metadata_mut().org = LOCAL_ORG.to_owned();
        reordered.metadata_mut().owner_scope = workflow
            .metadata()
            .map_or(0, |metadata| metadata.owner_scope);
        reordered.clear_status();
        if let Some(spec) = &mut reordered.spec {
            spec.tasks.reverse();
        }
        let error = env.api().create(reordered).await.unwrap_err();
        assert_eq!(error.code(), tonic::Code::InvalidArgument, "{error}");
        let says = error.status.message();
        assert!(
            says.contains("processResponse") && says.contains("fetchPullRequest"),
            "{says}"
        );
        refusal.check_store("the refused workflow")?;
        Ok(())
    });
}
