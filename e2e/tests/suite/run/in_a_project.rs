//! `stigmer run` inside a project directory: it applies first.

use stigmer_api::{ApiResourceKind, Resource, agent::Agent, agent_execution::AgentExecution};
use stigmer_e2e::harness::{Project, budget::AGENT, story};

use crate::then::{self, Refusal};

#[test]
fn run_04_the_only_resource_is_selected_deployed_and_run() {
    story(async |t| {
        let env = t.environment().answering("Selected.").start().await?;
        let project =
            Project::with_agents(&t, &[("the-only-one", "", "Answer in one short sentence.")])?;
        let output = project
            .cli(&env)
            .args(["run", "--message", "Hello", "--follow=false"])
            .run()
            .await?;
        output
            .exited_with(0)?
            .says_at_line_end("Auto-selected: the-only-one")?
            .says("Deployed: 1 agent(s)")?;
        let id = then::started(&env, &output).await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        let agent: Agent = env.api().by_slug("the-only-one").await?;
        assert_eq!(
            finished.execution.spec.map(|spec| spec.agent_id),
            Some(agent.id().to_owned())
        );
        Ok(())
    });
}

#[test]
fn run_04_two_resources_without_a_terminal_are_listed_and_none_is_run() {
    story(async |t| {
        let env = t.environment().start().await?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        t.step("deploy both, so that only a run could add something");
        then::applied(&env, &project.cli(&env).args(["apply"]).run().await?).await?;
        let refusal = Refusal::expected(&env)?;
        let output = project
            .cli(&env)
            .args(["run", "--message", "Hello"])
            .run()
            .await?;
        refusal.check(&output)?;
        // Standard output names both in any case: the program itself does.
        let listed = output
            .error_lines()
            .into_iter()
            .map(str::trim)
            .filter(|line| line.starts_with('['))
            .collect::<Vec<_>>();
        assert_eq!(
            listed,
            [
                "[Agent] code-reviewer",
                "[Agent] code-reviewer-pro - Professional code reviewer with security focus",
            ]
        );
        assert_eq!(env.store().count(ApiResourceKind::AgentExecution)?, 0);
        Ok(())
    });
}

#[test]
fn run_14_changed_code_is_applied_before_it_is_run() {
    story(async |t| {
        let env = t.environment().answering("Done as told.").start().await?;
        let project = Project::with_agents(
            &t,
            &[("reviewer", "", "These are the instructions of version one.")],
        )?;
        then::applied(&env, &project.cli(&env).args(["apply"]).run().await?).await?;
        let before: Agent = env.api().by_slug("reviewer").await?;
        t.step("change the code, then run");
        let instructions = "These are the instructions of version two.";
        project.set_agents(&[("reviewer", "", instructions)])?;
        let output = project
            .cli(&env)
            .args(["run", "reviewer", "--follow=false"])
            .run()
            .await?;
        output.exited_with(0)?.says("Deployed 1 resource(s)")?;
        let id = then::started(&env, &output).await?;
        let execution: AgentExecution = then::completed(&env, &id, AGENT).await?.execution;
        assert_eq!(
            execution.spec.map(|spec| spec.agent_id),
            Some(before.id().to_owned()),
            "the id was not kept"
        );
        let after: Agent = env.api().by_slug("reviewer").await?;
        assert_eq!(
            after.spec.map(|spec| spec.instructions).as_deref(),
            Some(instructions)
        );
        let system = env.llm().requests()[0].messages_of("system").join("\n");
        assert!(
            system.contains("version two") && !system.contains("version one"),
            "the model was told {system:?}"
        );
        Ok(())
    });
}
