//! Fixture 16: agents that the program does not define, by slug and scope.

use serde_json::json;
use stigmer_api::{
    ApiResourceOwnerScope, Resource, agent::Agent, json::to_json, workflow::Workflow,
};
use stigmer_e2e::harness::{CheckError, Environment, Expectation, Reply, budget::WF, story};

use super::simple::agent_executions;
use crate::{fixture::Deployed, given, then};

/// Creates an agent that belongs to `scope`; its id.
async fn agent(
    env: &Environment,
    name: &str,
    scope: ApiResourceOwnerScope,
) -> Result<String, CheckError> {
    let instructions = format!("You are {name} of scope {}.", scope.as_str_name());
    let mut agent = given::agent(name, &instructions);
    agent.metadata_mut().owner_scope = scope as i32;
    let created: Agent = env.api().create(agent).await?;
    Ok(created.id().to_owned())
}

#[test]
fn wca_09_each_call_reaches_the_agent_of_its_scope_in_order() {
    story(async |t| {
        use ApiResourceOwnerScope::{Organization, Platform};
        let env = t.environment().start().await?;
        t.step("the three agents, and others of the same names in other scopes");
        let organizations = agent(&env, "code-reviewer", Organization).await?;
        let platforms = agent(&env, "security-scanner", Platform).await?;
        let senior = agent(&env, "senior-reviewer", Organization).await?;
        agent(&env, "code-reviewer", Platform).await?;
        agent(&env, "security-scanner", Organization).await?;
        let deployed = Deployed::apply(&t, &env, "16").await?;
        t.step("the scopes are stored");
        let workflow: Workflow = env.api().get(deployed.id("review-by-slug")?).await?;
        let tasks = workflow.spec.unwrap_or_default().tasks;
        let scopes = tasks.iter().map(|task| {
            let config = task.task_config.as_ref().map(to_json).unwrap_or_default();
            (task.name.clone(), config["scope"].clone())
        });
        let expected = [
            ("orgReview", "organization"),
            ("platformReview", "platform"),
            ("finalReview", "organization"),
        ];
        let expected = expected.map(|(name, scope)| (name.to_owned(), json!(scope)));
        assert_eq!(scopes.collect::<Vec<_>>(), expected);
        t.step("run it");
        for (message, answer) in [
            ("Review the code", "It subtracts."),
            ("Scan the code", "It is harmless."),
            ("Sum up both reviews", "It subtracts harmlessly."),
        ] {
            let expectation = Expectation::message_containing(message, Reply::text(answer));
            env.llm().expect(expectation);
        }
        let execution = deployed.completes(&[]).await?.execution;
        assert_eq!(
            then::workflow::names_of(&execution, "completed"),
            ["orgReview", "platformReview", "finalReview"]
        );
        assert_eq!(
            then::workflow::output(&execution, "finalReview")?,
            json!({"result": "It subtracts harmlessly."})
        );
        let requests = env.llm().requests();
        let asked = requests.iter().map(|request| request.last_user_message());
        let asked = asked.collect::<Vec<_>>();
        assert!(asked[0].contains("Review the code"), "{asked:?}");
        assert!(asked[1].contains("Scan the code"), "{asked:?}");
        assert!(
            asked[2].contains("Code: It subtracts.")
                && asked[2].contains("Security: It is harmless."),
            "{asked:?}"
        );
        let mut executions = agent_executions(&env).await?;
        // Ids grow with time.
        executions.sort_by(|a, b| a.id().cmp(b.id()));
        let agents = executions
            .into_iter()
            .map(|it| it.spec.unwrap_or_default().agent_id);
        assert_eq!(
            agents.collect::<Vec<_>>(),
            [organizations, platforms, senior]
        );
        Ok(())
    });
}

#[test]
fn wca_10_without_its_agents_the_workflow_fails_at_the_first_call() {
    story(async |t| {
        let env = t.environment().start().await?;
        let deployed = Deployed::apply(&t, &env, "16").await?;
        let id = deployed.start(&[]).await?;
        let says = ["orgReview", "code-reviewer", "not found"];
        let finished = then::workflow::failed(&env, &id, WF, &says).await?;
        assert_eq!(
            then::workflow::states(&finished.execution),
            [
                ("orgReview", "failed"),
                ("platformReview", "skipped"),
                ("finalReview", "skipped")
            ]
        );
        assert_eq!(agent_executions(&env).await?.len(), 0);
        assert_eq!(env.llm().requests().len(), 0);
        Ok(())
    });
}
