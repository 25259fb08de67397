//! Fixture 01: two agents, applied to an empty environment.

use stigmer_api::{
    ApiResourceKind, LOCAL_ORG, Resource, agent::Agent, agent_instance::AgentInstance,
};
use stigmer_e2e::harness::{CheckError, Environment, FixtureAgent, Test, story};

use crate::fixture::Deployed;

async fn applied(t: &Test) -> Result<(Environment, Deployed), CheckError> {
    let env = t.environment().without_runners().start().await?;
    let deployed = Deployed::apply(t, &env, "01").await?;
    Ok((env, deployed))
}

#[test]
fn app_01_both_agents_are_listed_and_stored_in_org_local() {
    story(async |t| {
        let (env, deployed) = applied(&t).await?;
        let known = deployed.rows.iter().map(|row| row.known());
        assert_eq!(
            known.collect::<Vec<_>>(),
            [
                ("Agent", "code-reviewer", "✓ Created"),
                ("Agent", "code-reviewer-pro", "✓ Created")
            ]
        );
        t.step("look both up by slug");
        for row in &deployed.rows {
            let agent: Agent = env.api().by_slug(&row.name).await?;
            assert_eq!(agent.id(), row.id);
            let metadata = agent.metadata().cloned().unwrap_or_default();
            assert_eq!(metadata.org, LOCAL_ORG);
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
        let (env, deployed) = applied(&t).await?;
        let agents = &deployed.fixture.agents;
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
        let (env, deployed) = applied(&t).await?;
        assert_eq!(deployed.rows.len(), 2);
        for row in deployed.rows {
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
        Deployed::apply(&t, &env, "01").await?;
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
