//! Where applied resources belong.

use stigmer_api::{LOCAL_ORG, Resource, agent::Agent, workflow::Workflow};
use stigmer_e2e::harness::{CheckError, Environment, story};

use crate::fixture::Deployed;

async fn org_of<R: Resource>(env: &Environment, id: &str) -> Result<String, CheckError> {
    let stored: R = env.api().get(id).await?;
    let metadata = stored.metadata().cloned();
    Ok(metadata.unwrap_or_default().org)
}

#[test]
fn app_19_in_local_mode_everything_belongs_to_org_local_whatever_the_program_says() {
    story(async |t| {
        // The programs say `my-org` (07) and `my-organization` (12).
        let env = t.environment().without_agent_runner().start().await?;
        let workflow = Deployed::apply(&t, &env, "07").await?;
        let agent = Deployed::apply(&t, &env, "12").await?;
        let id = workflow.id("basic-data-fetch")?;
        assert_eq!(org_of::<Workflow>(&env, id).await?, LOCAL_ORG);
        let id = agent.id("code-reviewer")?;
        assert_eq!(org_of::<Agent>(&env, id).await?, LOCAL_ORG);
        Ok(())
    });
}
