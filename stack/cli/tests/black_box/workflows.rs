//! Workflows through `stigmer apply` and `stigmer run`.

use serde_json::{Value, json};
use stigmer_api::Resource;

use crate::support::world::World;

fn world(agents: &[(&str, &str)], workflows: &[&str]) -> World {
    let world = World::new(&[]);
    world.project.resources(agents, workflows);
    world
}

#[test]
fn agents_come_before_workflows_and_both_are_listed() {
    let world = world(&[("a", "")], &["flow", "other"]);
    let shown = world.in_project(&["apply"]).well();
    let deployed = shown
        .lines()
        .filter_map(|line| line.strip_prefix("ℹ Deploying "));
    assert_eq!(
        deployed.collect::<Vec<_>>(),
        ["agent 1/1: a", "workflow 1/2: flow", "workflow 2/2: other"]
    );
    assert!(
        shown.contains("✅ Successfully applied 3 resource(s)"),
        "{shown}"
    );
    assert!(
        shown.contains("View workflows: stigmer workflow list"),
        "{shown}"
    );
    let stored = world.server.state.workflows.named("flow");
    assert_eq!(stored.metadata().unwrap().org, "local");
}

#[test]
fn a_refused_workflow_is_named_and_what_went_before_stays() {
    let world = world(&[("a", "")], &["refused", "z"]);
    let went = world.in_project(&["apply", "-o", "json"]);
    let report: Value = serde_json::from_str(&went.stdout).unwrap();
    let status = |n: usize| report["resources"][n]["status"].clone();
    assert_eq!(
        (status(0), status(1), status(2)),
        (json!("created"), json!("failed"), json!("skipped"))
    );
    assert_eq!(
        went.badly(),
        "Error: failed to deploy workflow 'refused': this server refuses it\n"
    );
    let id = world.agent_id("a");
    world.project.resources(&[("a", "")], &["accepted", "z"]);
    world.in_project(&["apply"]).well();
    assert_eq!(world.agent_id("a"), id);
}

#[test]
fn following_shows_each_task_once_per_state_and_the_counts() {
    let world = world(&[], &["flow"]);
    let shown = world.in_project(&["run", "--message", "go"]).well();
    let id = world.server.state.workflow_executions.all()[0]
        .id()
        .to_owned();
    let rule = "─".repeat(80);
    assert_eq!(
        shown,
        format!(
            "✓ Deployed: 1 workflow(s)\nℹ Auto-selected: flow\n\nℹ Creating workflow execution...\n\
             ✓ ✓ Workflow execution started: flow\nℹ   Execution ID: {id}\n\n\
             ✓ Streaming workflow execution logs\n\nℹ ⏳ Execution pending...\n✓ ▶️  Execution started\n\
             ⚙️ Task: fetch [Running]\n✓ Task: fetch [Completed]\n⚙️ Task: store [Running]\n\
             ✓ Task: store [Completed]\n✓ ✅ Execution completed\n\n{rule}\n✓ Done!\n✓ Total tasks: 2\n\
             ✓ Completed: 2\n{rule}\n\n"
        )
    );
}

#[test]
fn a_name_of_both_kinds_means_the_workflow_and_the_output_says_so() {
    let world = world(&[("same", "")], &["same"]);
    world.in_project(&["apply"]).well();
    let shown = world.stigmer.run(&["run", "same", "--no-follow"]).well();
    assert!(
        shown.starts_with("ℹ 'same' is a workflow and an agent; running the workflow\n"),
        "{shown}"
    );
    assert!(
        shown.contains("Workflow execution started: same"),
        "{shown}"
    );
    assert_eq!(world.executions().len(), 0);
    let of_agent = ["run", &world.agent_id("same"), "--no-follow"];
    world.stigmer.run(&of_agent).well();
    assert_eq!(world.executions().len(), 1, "its id still means the agent");
}

#[test]
fn a_run_of_a_workflow_has_its_message_and_its_workflow() {
    let world = world(&[], &["flow"]);
    world
        .in_project(&["run", "flow", "--no-follow", "--message", "go"])
        .well();
    let executions = world.server.state.workflow_executions.all();
    let spec = executions[0].spec.clone().unwrap();
    let flow = world.server.state.workflows.named("flow");
    assert_eq!(
        (spec.trigger_message.as_str(), spec.workflow_id.as_str()),
        ("go", flow.id())
    );
    let metadata = executions[0].metadata().unwrap();
    assert_eq!((metadata.org.as_str(), metadata.owner_scope), ("local", 2));
}

#[test]
fn json_has_the_tasks_of_the_text() {
    let world = world(&[], &["flow"]);
    let report: Value =
        serde_json::from_str(&world.in_project(&["run", "-o", "json"]).well()).unwrap();
    assert_eq!(
        report["tasks"],
        json!([
            {"id": "fetch", "name": "fetch", "state": "completed"},
            {"id": "store", "name": "store", "state": "completed"},
        ])
    );
    assert_eq!(report["deployed"][0]["name"], "flow");
}
