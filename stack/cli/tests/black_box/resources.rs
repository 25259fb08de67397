//! `stigmer agent`, `stigmer workflow`, and `stigmer execution` with a server.

use serde_json::{Value, json};
use stigmer_api::{Resource, id};

use crate::support::{Stigmer, server::FakeServer, world::World};

fn json(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

/// The cells of the table on `screen`, without its heading.
fn cells(screen: &str) -> Vec<Vec<String>> {
    let rows = screen.lines().skip_while(|line| !line.contains('─'));
    rows.skip(1)
        .map(|row| {
            row.split("   ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
        })
        .map(|row| row.map(str::to_owned).collect())
        .collect()
}

fn world() -> World {
    let world = World::new(&[]);
    world
        .project
        .resources(&[("a", "reads"), ("b", "")], &["flow"]);
    world.in_project(&["apply"]).well();
    world
}

#[test]
fn lists_show_what_was_applied_in_both_formats() {
    let world = world();
    for (kind, many, names) in [
        ("agent", "agents", &["a", "b"][..]),
        ("workflow", "workflows", &["flow"]),
    ] {
        let rows = cells(&world.stigmer.run(&[kind, "list"]).well());
        let listed = json(&world.stigmer.run(&[kind, "list", "-o", "json"]).well());
        assert_eq!(rows.len(), names.len());
        for (name, (row, entry)) in names
            .iter()
            .zip(rows.iter().zip(listed[many].as_array().unwrap()))
        {
            assert_eq!((row[0].as_str(), &entry["name"]), (*name, &json!(name)));
            assert_eq!(entry["id"], json!(row.last().unwrap()), "{row:?}");
        }
    }
}

#[test]
fn more_than_a_page_is_listed_whole() {
    let world = World::new(&[]);
    for n in 0..300 {
        let mut agent = stigmer_api::agent::Agent::envelope();
        agent.metadata_mut().name = format!("agent-{n}");
        world.server.state.agents.create(agent);
    }
    let listed = json(&world.stigmer.run(&["agent", "list", "-o", "json"]).well());
    assert_eq!(listed["agents"].as_array().unwrap().len(), 300);
}

#[test]
fn an_empty_list_says_so() {
    let stigmer_server = FakeServer::start();
    let stigmer = Stigmer::new(&stigmer_server.address);
    let shown = stigmer.run(&["agent", "list"]).well();
    assert!(shown.contains("No agents in organization local"), "{shown}");
    let listed = json(&stigmer.run(&["execution", "list", "-o", "json"]).well());
    assert_eq!(listed, json!({"total": 0, "executions": []}));
}

#[test]
fn one_is_shown_by_name_and_by_id_and_the_json_is_the_whole_record() {
    let world = world();
    let by_name = world.stigmer.run(&["agent", "get", "a"]).well();
    let by_id = world.stigmer.run(&["agent", "get", &world.agent_id("a")]);
    assert_eq!(by_name, by_id.well());
    assert!(by_name.contains("Description:  reads"), "{by_name}");
    let flow = world.stigmer.run(&["workflow", "get", "flow"]).well();
    assert!(flow.contains("Tasks:        greet (SET)"), "{flow}");
    let record = json(
        &world
            .stigmer
            .run(&["workflow", "get", "flow", "-o", "json"])
            .well(),
    );
    assert_eq!(record["spec"]["document"]["namespace"], "tests");
    assert_eq!(record["metadata"]["name"], "flow");
}

#[test]
fn what_is_deleted_is_gone_and_cannot_be_deleted_again() {
    let world = world();
    let id = world.agent_id("b");
    let shown = world.stigmer.run(&["agent", "delete", "b"]).well();
    assert_eq!(shown, format!("✓ Agent deleted: b (ID: {id})\n"));
    assert_eq!(world.server.state.agents.all().len(), 1);
    let error = world.stigmer.run(&["agent", "delete", "b"]).badly();
    assert!(error.starts_with("Error: Agent not found: b\n"), "{error}");
    let deleted = json(
        &world
            .stigmer
            .run(&["workflow", "delete", "flow", "-o", "json"])
            .well(),
    );
    assert_eq!(deleted["deleted"]["name"], "flow");
    assert!(world.server.state.workflows.all().is_empty());
}

#[test]
fn executions_of_both_kinds_are_listed_newest_first_with_the_names_of_what_ran() {
    let world = world();
    for target in ["a", "flow", "b"] {
        world.stigmer.run(&["run", target, "--no-follow"]).well();
    }
    let rows = cells(&world.stigmer.run(&["execution", "list"]).well());
    let names = rows
        .iter()
        .map(|row| (row[0].as_str(), row[1].as_str(), row[2].as_str()));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            ("agent", "b", "Pending"),
            ("workflow", "flow", "Pending"),
            ("agent", "a", "Pending")
        ]
    );
    let only = |args: &[&str]| {
        let args = [&["execution", "list", "-o", "json"], args].concat();
        json(&world.stigmer.run(&args).well())["executions"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(only(&["--kind", "agent"]), 2);
    assert_eq!(only(&["--kind", "workflow", "--phase", "pending"]), 1);
    assert_eq!(only(&["--phase", "failed"]), 0);
    assert_eq!(only(&["--limit", "1"]), 1);
}

#[test]
fn the_executions_of_what_is_gone_are_listed_with_its_id() {
    let world = World::applied(&[("a", "")]);
    let id = world.agent_id("a");
    world.stigmer.run(&["run", "a", "--no-follow"]).well();
    world.stigmer.run(&["agent", "delete", "a"]).well();
    let rows = cells(&world.stigmer.run(&["execution", "list"]).well());
    assert_eq!(rows[0][1], id);
}

#[test]
fn an_execution_is_cancelled_once_and_not_after_its_end() {
    let world = World::applied(&[("a", "")]);
    world.stigmer.run(&["run", "a", "--no-follow"]).well();
    let execution = world.executions()[0].id().to_owned();
    let shown = world
        .stigmer
        .run(&["execution", "cancel", &execution])
        .well();
    assert_eq!(shown, format!("✓ Execution cancelled: {execution}\n"));
    assert_eq!(world.executions()[0].status.as_ref().unwrap().phase, 5);
    let args = ["execution", "get", &execution];
    assert!(world.stigmer.run(&args).well().contains("Phase: Cancelled"));
    // To say it again does no harm.
    world
        .stigmer
        .run(&["execution", "cancel", &execution])
        .well();

    let mut ended = world.executions()[0].clone();
    ended.status.as_mut().unwrap().phase = 3;
    world.server.state.agent_executions.put(ended);
    let error = world
        .stigmer
        .run(&["execution", "cancel", &execution])
        .badly();
    assert_eq!(
        error,
        format!("Error: failed to cancel execution {execution}: the execution has ended\n")
    );
}

#[test]
fn watching_is_following() {
    let world = world();
    for (target, steps) in [
        ("a", "🤖 Agent: Hello you!"),
        ("flow", "✓ Task: store [Completed]"),
    ] {
        let run = world
            .stigmer
            .run(&["run", target, "--no-follow", "-o", "json"])
            .well();
        let id = json(&run)["execution_id"].as_str().unwrap().to_owned();
        let shown = world.stigmer.run(&["execution", "watch", &id]).well();
        assert!(
            shown.contains(steps) && shown.contains("✓ Done!"),
            "{shown}"
        );
        let seen = json(
            &world
                .stigmer
                .run(&["execution", "watch", &id, "-o", "json"])
                .well(),
        );
        assert_eq!(
            (&seen["execution_id"], &seen["phase"]),
            (&json!(id), &json!("COMPLETED"))
        );
    }
    let failing = [
        "run",
        "flow",
        "--no-follow",
        "--message",
        "fail",
        "-o",
        "json",
    ];
    let id = json(&world.stigmer.run(&failing).well())["execution_id"].clone();
    let went = world
        .stigmer
        .run(&["execution", "watch", id.as_str().unwrap()]);
    assert!(went.badly().ends_with(" failed: the model is gone\n"));
}

#[test]
fn what_is_no_execution_is_said_to_be_none() {
    let world = World::applied(&[("a", "")]);
    for command in ["get", "watch", "cancel", "delete"] {
        let error = world.stigmer.run(&["execution", command, "a"]).badly();
        assert!(
            error.contains("\"a\" is not the id of an execution"),
            "{error}"
        );
        let unknown = id::new_id(stigmer_api::ApiResourceKind::WorkflowExecution);
        let error = world.stigmer.run(&["execution", command, &unknown]).badly();
        assert!(
            error.contains(&format!("WorkflowExecution {unknown}")),
            "{error}"
        );
    }
}

#[test]
fn a_server_without_workflows_still_has_agents_and_their_executions() {
    let server = FakeServer::without_workflows();
    let stigmer = Stigmer::new(&server.address);
    let mut agent = stigmer_api::agent::Agent::envelope();
    let metadata = agent.metadata_mut();
    (metadata.name, metadata.slug) = ("a".to_owned(), "a".to_owned());
    server.state.agents.create(agent);
    stigmer.run(&["run", "a"]).well();
    assert_eq!(cells(&stigmer.run(&["execution", "list"]).well()).len(), 1);
}
