//! Fixture 01: two agents, applied to an empty environment.

use stigmer_api::{
    ApiResourceKind, LOCAL_ORG, Resource, agent::Agent, agent_instance::AgentInstance,
};
use stigmer_e2e::harness::{CheckError, Environment, FixtureAgent, Manifest, Project, Test, story};

use crate::then::{self, Applied};

const FIXTURE: &str = "01-basic-agent";

async fn apply_fixture(t: &Test, env: &Environment) -> Result<Vec<Applied>, CheckError> {
    t.step("apply fixture 01");
    let output = Project::fixture(t, FIXTURE)?
        .cli(env)
        .args(["apply"])
        .run()
        .await?;
    then::applied(env, &output).await
}

#[test]
fn app_01_both_agents_are_listed_and_stored_in_org_local() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let rows = apply_fixture(&t, &env).await?;
        let manifest = Manifest::load(&t)?;
        let agents = &manifest.fixture("01")?.agents;
        assert_eq!(agents.len(), 2, "fixture 01 has two agents");
        let expected = agents
            .iter()
            .map(|agent| ("Agent", agent.name.as_str(), "✓ Created"));
        let known = rows.iter().map(Applied::known).collect::<Vec<_>>();
        assert_eq!(known, expected.collect::<Vec<_>>());
        t.step("look both up by slug");
        for row in &rows {
            let agent: Agent = env.api().by_slug(&row.name).await?;
            assert_eq!(agent.id(), row.id);
            assert_eq!(
                agent.metadata().map(|metadata| metadata.org.as_str()),
                Some(LOCAL_ORG)
            );
            let instructions = agent.spec.map(|spec| spec.instructions).unwrap_or_default();
            assert!(
                !instructions.trim().is_empty(),
                "{} has no instructions",
                row.name
            );
        }
        Ok(())
    });
}

#[test]
fn app_02_description_and_icon_are_stored_where_given_and_empty_where_not() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        apply_fixture(&t, &env).await?;
        let manifest = Manifest::load(&t)?;
        let agents = &manifest.fixture("01")?.agents;
        let given = |agent: &&FixtureAgent| !agent.description.is_empty();
        assert_eq!(
            agents.iter().filter(given).count(),
            1,
            "one has a description"
        );
        for agent in agents {
            t.step(format!("look {} up by slug", agent.name));
            let stored = env.api().by_slug::<Agent>(&agent.name).await?;
            let spec = stored.spec.unwrap_or_default();
            assert_eq!(
                (spec.description.as_str(), spec.icon_url.as_str()),
                (agent.description.as_str(), agent.icon_url.as_str()),
                "{}",
                agent.name
            );
        }
        Ok(())
    });
}

#[test]
fn app_03_each_agent_has_a_default_instance_that_points_back() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let rows = apply_fixture(&t, &env).await?;
        assert_eq!(rows.len(), 2);
        for row in rows {
            let agent: Agent = env.api().get(&row.id).await?;
            let instance_id = agent
                .status
                .map(|status| status.default_instance_id)
                .unwrap_or_default();
            let instance: AgentInstance = env.api().get(&instance_id).await?;
            assert_eq!(instance.name(), format!("{}-default", row.name));
            assert_eq!(instance.spec.map(|spec| spec.agent_id), Some(row.id));
        }
        Ok(())
    });
}

#[test]
fn app_04_exactly_two_agents_exist_and_the_rejected_name_is_nowhere() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        assert!(
            env.store().counts()?.is_empty(),
            "a fresh store is not empty"
        );
        apply_fixture(&t, &env).await?;
        t.step("count what is stored");
        assert_eq!(env.store().count(ApiResourceKind::Agent)?, 2);
        assert_eq!(env.store().count(ApiResourceKind::AgentInstance)?, 2);
        assert_eq!(
            env.store().counts()?.len(),
            2,
            "other kinds were stored, too: {:?}",
            env.store().counts()?
        );
        for absent in ["invalid-name", "Invalid Name!"] {
            let error = env.api().by_slug::<Agent>(absent).await.unwrap_err();
            assert_eq!(error.code(), tonic::Code::NotFound, "{absent}: {error}");
        }
        Ok(())
    });
}
