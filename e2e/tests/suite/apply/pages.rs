//! Lists that do not fit into one answer.

use std::collections::BTreeSet;

use serde_json::Value;
use stigmer_api::{Resource, agent::Agent};
use stigmer_e2e::harness::story;

use crate::given;

/// More than fit on one page of any list.
const AGENTS: usize = 130;

#[test]
fn app_23_a_list_of_several_pages_has_each_resource_once() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let mut created = BTreeSet::new();
        for number in 0..AGENTS {
            let agent = given::agent(&format!("agent-{number}"), "You help whoever asks.");
            let agent: Agent = env.api().create(agent).await?;
            created.insert(agent.id().to_owned());
        }
        let listed = env
            .cli()
            .args(["agent", "list", "--output", "json"])
            .run()
            .await?;
        listed.exited_with(0)?;
        let listed: Value = listed.json()?;
        let ids = listed["agents"]
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|row| row["id"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>();
        assert_eq!(ids.len(), AGENTS, "not every agent once: {ids:?}");
        assert_eq!(BTreeSet::from_iter(ids), created);
        Ok(())
    });
}
