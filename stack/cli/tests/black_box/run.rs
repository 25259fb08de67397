//! `stigmer run` and a server.

use std::{
    io::{BufRead, BufReader},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use stigmer_api::Resource;

use crate::support::world::World;

#[test]
fn following_shows_each_phase_and_message_once_and_the_end() {
    let world = World::applied(&[("a", "")]);
    let shown = world
        .stigmer
        .run(&["run", "a", "--message", "hi there"])
        .well();
    let id = world.executions()[0].id().to_owned();
    let rule = "─".repeat(80);
    assert_eq!(
        shown,
        format!(
            "ℹ Creating agent execution...\n✓ ✓ Agent execution started: a\nℹ   Execution ID: {id}\n\n\
             ✓ Streaming agent execution logs\n\nℹ ⏳ Execution pending...\n✓ ▶️  Execution started\n\
             💬 You: hi there\n\n🤖 Agent: Hello you!\n\n✓ ✅ Execution completed\n\n{rule}\n✓ Done!\n\
             ✓ Total messages: 2\n✓ Tool calls: 0\n{rule}\n\n"
        )
    );
}

#[test]
fn without_following_the_id_is_printed_and_that_is_all() {
    let world = World::applied(&[("a", "")]);
    let started = Instant::now();
    let shown = world
        .stigmer
        .run(&["run", "a", "--message", "never end", "--follow=false"])
        .well();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(
        shown.contains("Agent execution started: a") && shown.contains("Execution ID: aex-"),
        "{shown}"
    );
    assert!(!shown.contains("Streaming"), "{shown}");
}

#[test]
fn no_message_means_execute() {
    let world = World::applied(&[("a", "")]);
    world.stigmer.run(&["run", "a", "--no-follow"]).well();
    let spec = world.executions()[0].spec.clone().unwrap();
    assert_eq!(
        (spec.message.as_str(), spec.agent_id),
        ("execute", world.agent_id("a"))
    );
}

#[test]
fn variables_reach_the_execution_as_given() {
    let world = World::applied(&[("a", "")]);
    let args = [
        "run",
        "a",
        "--no-follow",
        "--runtime-env",
        "A= 1",
        "--runtime-env",
        "secret:B=2=3",
    ];
    world.stigmer.run(&args).well();
    let env = world.executions()[0].spec.clone().unwrap().runtime_env;
    let value = |key: &str| (env[key].value.clone(), env[key].is_secret);
    assert_eq!(
        (value("A"), value("B")),
        ((" 1".into(), false), ("2=3".into(), true))
    );
    assert_eq!(env.len(), 2);
}

#[test]
fn an_id_is_as_good_as_a_name() {
    let world = World::applied(&[("a", "")]);
    let shown = world
        .stigmer
        .run(&["run", &world.agent_id("a"), "--no-follow"])
        .well();
    assert!(shown.contains("Agent execution started: a"), "{shown}");
}

#[test]
fn an_unknown_name_is_not_found_and_nothing_runs() {
    let world = World::applied(&[("a", "")]);
    let error = world.stigmer.run(&["run", "non-existent-agent"]).badly();
    assert!(
        error.starts_with("Error: Agent or Workflow not found: non-existent-agent\n"),
        "{error}"
    );
    for line in [
        "Checked for:",
        "• Workflow with ID/name: non-existent-agent",
        "• Agent with ID/name: non-existent-agent",
    ] {
        assert!(error.contains(line), "{error}");
    }
    assert_eq!(world.executions().len(), 0);
}

#[test]
fn an_execution_that_does_not_succeed_fails_the_command() {
    let world = World::applied(&[("a", "")]);
    let went = world.stigmer.run(&["run", "a", "--message", "fail"]);
    assert!(
        went.stdout
            .contains("✗ Execution failed\n✗ Error: the model is gone\n"),
        "{}",
        went.stdout
    );
    assert!(went.badly().ends_with(" failed: the model is gone\n"));
    assert!(
        world
            .stigmer
            .run(&["run", "a", "--message", "cancel"])
            .badly()
            .contains("was cancelled")
    );
}

#[test]
fn json_has_the_execution_its_phase_and_its_error() {
    let world = World::applied(&[("a", "")]);
    let went = world
        .stigmer
        .run(&["run", "a", "--message", "fail", "--output", "json"]);
    let json: Value = serde_json::from_str(&went.stdout).unwrap();
    assert_eq!(
        (&json["phase"], &json["error"]),
        (&json!("FAILED"), &json!("the model is gone"))
    );
    assert!(json["execution_id"].as_str().unwrap().starts_with("aex-"));
    went.badly();
    let json: Value =
        serde_json::from_str(&world.stigmer.run(&["run", "a", "--output", "json"]).well()).unwrap();
    assert_eq!(
        (&json["phase"], &json["name"], json.get("error")),
        (&json!("COMPLETED"), &json!("a"), None)
    );
}

#[test]
fn a_server_that_cannot_run_it_says_why() {
    let world = World::applied(&[("a", "")]);
    let error = world
        .stigmer
        .run(&["run", "a", "--message", "no temporal"])
        .badly();
    assert_eq!(
        error,
        "Error: failed to create execution: Temporal is not connected\n"
    );
}

#[test]
fn a_stream_that_breaks_off_is_an_error_that_says_the_execution_goes_on() {
    let world = World::applied(&[("a", "")]);
    for (message, reason) in [
        ("break", "shutting down"),
        ("stop telling", "the server ended the stream"),
    ] {
        let error = world
            .stigmer
            .run(&["run", "a", "--message", message])
            .badly();
        assert!(
            error.contains("lost the stream of execution aex-") && error.contains(reason),
            "{error}"
        );
        assert!(error.contains("The execution goes on"), "{error}");
    }
}

#[test]
fn ctrl_c_ends_following_at_once_and_leaves_the_execution_alone() {
    let world = World::applied(&[("a", "")]);
    let dir = tempfile::tempdir().unwrap();
    let mut child = world
        .stigmer
        .command(dir.path(), &["run", "a", "--message", "never end"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let shown = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.contains("Execution started"));
    assert!(shown.is_some(), "the execution is followed");
    let started = Instant::now();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let status = child.wait().unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(status.code(), Some(130));
    assert!(lines.any(|line| line.unwrap().contains("goes on at the server")));
    assert_eq!(world.executions().len(), 1);
}

#[test]
fn a_project_with_one_agent_is_applied_and_run() {
    let world = World::new(&[("only", "")]);
    let shown = world.in_project(&["run", "--message", "hi"]).well();
    assert!(
        shown.contains("✓ Deployed: 1 agent(s)\nℹ Auto-selected: only\n"),
        "{shown}"
    );
    assert!(
        shown.contains("Agent execution started: only") && shown.contains("✓ Done!"),
        "{shown}"
    );
}

#[test]
fn several_resources_without_a_terminal_are_listed_and_none_runs() {
    let world = World::new(&[("a", "reads"), ("b", "")]);
    let error = world.in_project(&["run"]).badly();
    assert!(error.contains("[Agent] a - reads\n  [Agent] b"), "{error}");
    assert_eq!(world.executions().len(), 0);
}

#[test]
fn running_in_a_project_applies_its_latest_code_first() {
    let world = World::applied(&[("a", "old")]);
    world.project.agents(&[("a", "new")]);
    let shown = world.in_project(&["run", "a", "--no-follow"]).well();
    assert!(
        shown.contains("Detected Stigmer project - applying latest code"),
        "{shown}"
    );
    assert!(shown.contains("✓ ✓ Deployed 1 resource(s)"), "{shown}");
    let stored = world.server.state.agents.named("a");
    assert_eq!(stored.spec.unwrap().description, "new");
    world.project.agents(&[("refused", "")]);
    let error = world.in_project(&["run", "a"]).badly();
    assert!(
        error.starts_with("Error: Failed to apply: failed to deploy agent 'refused'"),
        "{error}"
    );
    assert_eq!(world.executions().len(), 1);
}
