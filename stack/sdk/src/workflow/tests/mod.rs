//! Whole workflows as messages.

mod kinds;
mod rules;

use serde_json::{Value, json};
use stigmer_api::{Resource, json::to_json};

use super::*;
use crate::{Agent, AgentArgs};

fn workflow(ctx: &Context) -> Workflow {
    Workflow::new(ctx, "tests/sample", WorkflowArgs::default()).unwrap()
}

fn pause(name: &str) -> Task {
    Wait::seconds(name, 1).into()
}

/// The tasks of the message as protobuf JSON.
fn tasks(ctx: &Context, workflow: &Workflow) -> Value {
    let message = workflow.to_proto(ctx).unwrap();
    to_json(&message)["spec"]["tasks"].clone()
}

#[test]
fn the_name_is_split_at_the_first_slash() {
    let ctx = Context::new();
    let args = WorkflowArgs {
        version: "1.0.0".into(),
        description: "A sample".into(),
        ..Default::default()
    };
    let workflow = Workflow::new(&ctx, "data/a/b", args).unwrap();
    workflow.add(pause("p"));
    let message = workflow.to_proto(&ctx).unwrap();
    assert_eq!((message.kind.as_str(), message.name()), ("Workflow", "a/b"));
    assert_eq!(message.slug(), "a-b");
    let spec = message.spec.unwrap();
    assert_eq!(spec.env_spec, None);
    let document = spec.document.unwrap();
    assert_eq!(
        [
            document.dsl,
            document.namespace,
            document.name,
            document.version,
            document.description
        ],
        ["1.0.0", "data", "a/b", "1.0.0", "A sample"]
    );
}

#[test]
fn a_workflow_without_name_or_namespace_is_not_registered() {
    let ctx = Context::new();
    for (name, text) in [
        (
            "data/",
            "validation failed for field \"name\": name is required",
        ),
        (
            "plain",
            "validation failed for field \"namespace\": namespace is required",
        ),
    ] {
        let error = Workflow::new(&ctx, name, WorkflowArgs::default()).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    let args = WorkflowArgs {
        namespace: "n".into(),
        slug: "my-slug".into(),
        ..Default::default()
    };
    let workflow = Workflow::new(&ctx, "plain", args).unwrap();
    assert_eq!(
        (workflow.namespace().as_str(), workflow.version().as_str()),
        ("n", "0.1.0")
    );
    assert_eq!(ctx.workflows().len(), 1);
    workflow.add(pause("p"));
    assert_eq!(workflow.to_proto(&ctx).unwrap().slug(), "my-slug");
}

#[test]
fn a_workflow_has_tasks() {
    let ctx = Context::new();
    let error = workflow(&ctx).to_proto(&ctx).unwrap_err().to_string();
    assert!(
        error.starts_with("workflow validation failed: validation error: spec.tasks: "),
        "{error}"
    );
}

#[test]
fn tasks_inside_stay_inside() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let fetch = workflow.add(HttpCall::get("fetch", "http://x"));
    workflow.add(ForEach::new("each", "item", fetch.output(), |item| {
        vec![Set::new("inner").variable("sha", item.field("sha")).into()]
    }));
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(tasks.as_array().unwrap().len(), 2);
    assert_eq!(tasks[0]["export"]["as"], "${.}");
    let config = &tasks[1]["taskConfig"];
    assert_eq!(config["in"], "${ $context[\"fetch\"] }");
    assert_eq!(
        config["do"][0]["taskConfig"]["variables"]["sha"],
        "${ $data.item.sha }"
    );
}

#[test]
fn an_export_that_is_asked_for_later_counts_inside_too() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let inner = pause("inner");
    workflow.add(
        Fork::new("f")
            .branch("a", [inner.clone()])
            .branch("b", [pause("p")]),
    );
    drop(inner.output());
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(
        tasks[0]["taskConfig"]["branches"][0]["do"][0]["export"]["as"],
        "${.}"
    );
}

#[test]
fn context_variables_travel_in_a_first_task() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let retries = ctx.set_int("retries", 3);
    ctx.set_string("unused", "x");
    workflow.add(Set::new("s").variable("n", retries.add(1).unwrap().expression()));
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(
        tasks[0],
        json!({"name": "context", "kind": "WORKFLOW_TASK_KIND_SET",
            "taskConfig": {"variables": {"retries": "${ 3 }"}}, "export": {"as": "${.}"}})
    );
    assert_eq!(
        tasks[1]["taskConfig"]["variables"]["n"],
        "${ $context.context.retries + 1 }"
    );
}

#[test]
fn context_variables_known_at_once_need_no_task() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    let base = ctx.set_string("base", "http://x");
    workflow.add(HttpCall::get("get", base.append("/y")));
    let tasks = tasks(&ctx, &workflow);
    assert_eq!(tasks.as_array().unwrap().len(), 1);
    assert_eq!(tasks[0]["taskConfig"]["endpoint"]["uri"], "http://x/y");
}

#[test]
fn a_workflow_depends_on_what_it_calls_of_the_program() {
    let ctx = Context::new();
    let args = AgentArgs {
        instructions: "Review the code.".into(),
        ..Default::default()
    };
    let agent = Agent::new(&ctx, "reviewer", args).unwrap();
    let inner = workflow(&ctx);
    let outer = Workflow::new(&ctx, "tests/outer", WorkflowArgs::default()).unwrap();
    outer.add(AgentCall::new("a", &agent, "m"));
    outer.add(AgentCall::new("b", "reviewer", "m"));
    outer.add(AgentCall::new("c", "elsewhere", "m"));
    outer.add(ForEach::new("each", "i", "${ [1] }", |_| {
        vec![Run::new("r", "sample").into()]
    }));
    assert_eq!(
        outer.dependencies(&ctx),
        ["agent:reviewer", "workflow:sample"]
    );
    assert!(inner.dependencies(&ctx).is_empty());
}

#[test]
fn the_environment_is_in_the_message() {
    let ctx = Context::new();
    let workflow = workflow(&ctx);
    workflow.add(pause("p"));
    workflow.add_environment_variable(EnvironmentVariable::new("API_TOKEN").unwrap().secret());
    let spec = workflow.to_proto(&ctx).unwrap().spec.unwrap();
    let environment = spec.env_spec.unwrap();
    assert_eq!(environment.description, "");
    assert!(environment.data["API_TOKEN"].is_secret);
}
