//! `stigmer apply` and a server.

use serde_json::{Value, json};
use stigmer_api::Resource;

use crate::support::world::World;

/// The rows of the table on `screen` as `(type, name, status, id)`.
fn rows(screen: &str) -> Vec<[String; 4]> {
    screen
        .lines()
        .skip_while(|line| !line.starts_with("TYPE"))
        .skip(2)
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let cells = line
                .split("   ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty());
            let mut cells = cells.map(str::to_owned).collect::<Vec<_>>();
            cells.resize(4, String::new());
            <[String; 4]>::try_from(cells).unwrap()
        })
        .collect()
}

#[test]
fn applying_says_created_then_unchanged_then_updated() {
    let world = World::new(&[("a", "reads"), ("b", "writes")]);
    let status = |screen: &str| {
        rows(screen)
            .into_iter()
            .map(|[_, name, status, _]| (name, status))
            .collect::<Vec<_>>()
    };
    let both = |status: &str| {
        vec![
            ("a".to_owned(), status.to_owned()),
            ("b".to_owned(), status.to_owned()),
        ]
    };

    let first = world.in_project(&["apply"]).well();
    assert_eq!(status(&first), both("✓ Created"));
    assert_eq!(first.matches("Deployment successful").count(), 1);
    assert_eq!(
        rows(&first)[0],
        ["Agent", "a", "✓ Created", &world.agent_id("a")]
    );

    // The program stamps its agents with a new time; that alone is no change.
    world.project.agents(&[("a", "reads"), ("b", "writes")]);
    let second = world.in_project(&["apply"]).well();
    assert_eq!(status(&second), both("✓ Unchanged"));

    world
        .project
        .agents(&[("a", "reads"), ("b", "writes well")]);
    let third = world.in_project(&["apply"]).well();
    assert_eq!(status(&third)[1], ("b".to_owned(), "✓ Updated".to_owned()));
    let ids = |screen: &str| {
        rows(screen)
            .into_iter()
            .map(|row| row[3].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&third), ids(&first));
}

#[test]
fn twelve_agents_are_applied_in_their_order() {
    let names = (0..12).map(|n| format!("agent-{n}")).collect::<Vec<_>>();
    let world = World::new(
        &names
            .iter()
            .map(|name| (name.as_str(), ""))
            .collect::<Vec<_>>(),
    );
    let shown = rows(&world.in_project(&["apply"]).well());
    assert_eq!(
        shown
            .into_iter()
            .map(|row| row[1].clone())
            .collect::<Vec<_>>(),
        names
    );
}

#[test]
fn a_refusal_names_the_resource_and_says_what_was_deployed_before() {
    let world = World::new(&[("a", ""), ("refused", ""), ("z", "")]);
    let went = world.in_project(&["apply"]);
    let status = rows(&went.stdout)
        .into_iter()
        .map(|row| row[2].clone())
        .collect::<Vec<_>>();
    assert_eq!(status, ["✓ Created", "✗ Failed", "- Skipped"]);
    assert_eq!(
        went.badly(),
        "Error: failed to deploy agent 'refused': this server refuses it\n"
    );

    let went = world.in_project(&["apply", "--output", "json"]);
    let json: Value = serde_json::from_str(&went.stdout).unwrap();
    assert_eq!(json["resources"][0]["status"], "unchanged");
    assert_eq!(
        json["resources"][1],
        json!({"type": "Agent", "name": "refused", "status": "failed"})
    );
    assert_eq!(
        json["error"],
        "failed to deploy agent 'refused': this server refuses it"
    );
    went.badly();
}

#[test]
fn the_organization_is_local_unless_another_one_is_given() {
    let world = World::applied(&[("a", "")]);
    let org = || {
        let stored = world.server.state.agents.named("a");
        stored.metadata().unwrap().org.clone()
    };
    assert_eq!(org(), "local");
    world.in_project(&["apply", "--org", "acme"]).well();
    assert_eq!(org(), "acme");
}
