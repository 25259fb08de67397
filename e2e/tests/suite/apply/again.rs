//! Applying more than once: what is kept, what changes, what comes back.

use stigmer_api::{
    Resource, agent::Agent, agent_execution::ExecutionPhase, agent_instance::AgentInstance,
};
use stigmer_e2e::harness::{CheckError, Environment, Project, budget::AGENT, story};

use crate::then::{self, Applied};

const INSTRUCTIONS: &str = "Answer in one short sentence.";

async fn apply(env: &Environment, project: &Project) -> Result<Vec<Applied>, CheckError> {
    then::applied(env, &project.cli(env).args(["apply"]).run().await?).await
}

async fn default_instance(env: &Environment, agent_id: &str) -> Result<AgentInstance, CheckError> {
    let agent: Agent = env.api().get(agent_id).await?;
    let instance_id = agent
        .status
        .map(|status| status.default_instance_id)
        .unwrap_or_default();
    Ok(env.api().get(&instance_id).await?)
}

#[test]
fn app_13_an_unchanged_second_apply_says_so_and_changes_nothing() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        t.step("apply once");
        let first = apply(&env, &project).await?;
        let counts = env.store().counts()?;
        let mut instances = Vec::new();
        for row in &first {
            instances.push(default_instance(&env, &row.id).await?);
        }
        t.step("apply again");
        let second = apply(&env, &project).await?;
        let status = |rows: &[Applied]| {
            rows.iter()
                .map(|row| row.status.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(status(&first), ["✓ Created", "✓ Created"]);
        // The acceptance list says Updated; saying what is true is better still.
        assert_eq!(status(&second), ["✓ Unchanged", "✓ Unchanged"]);
        let identity = |rows: &[Applied]| {
            rows.iter()
                .map(|row| (row.name.clone(), row.id.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(identity(&first), identity(&second));
        assert_eq!(env.store().counts()?, counts);
        for (row, before) in second.iter().zip(instances) {
            assert_eq!(
                default_instance(&env, &row.id).await?,
                before,
                "the default instance of {} changed",
                row.name
            );
        }
        Ok(())
    });
}

#[test]
fn app_14_a_changed_description_is_stored_under_the_same_id_with_a_later_time() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let project = Project::with_agents(&t, &[("reviewer", "before", INSTRUCTIONS)])?;
        let first = apply(&env, &project).await?;
        t.step("change the description and apply again");
        project.set_agents(&[("reviewer", "after", INSTRUCTIONS)])?;
        let second = apply(&env, &project).await?;
        assert_eq!(second[0].known(), ("Agent", "reviewer", "✓ Updated"));
        assert_eq!(second[0].id, first[0].id);
        let agent: Agent = env.api().get(&second[0].id).await?;
        assert_eq!(
            agent.spec.as_ref().map(|spec| spec.description.as_str()),
            Some("after")
        );
        let audit = agent
            .audit()
            .and_then(|audit| audit.spec_audit.clone())
            .unwrap_or_default();
        let created = audit.created_at.map(|time| (time.seconds, time.nanos));
        let updated = audit.updated_at.map(|time| (time.seconds, time.nanos));
        assert!(
            created.is_some() && updated > created,
            "created {created:?}, updated {updated:?}"
        );
        Ok(())
    });
}

#[test]
fn app_15_a_directory_a_file_and_the_current_directory_give_the_same_result() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        let directory = project.directory().to_owned();
        let file = directory.join("Stigmer.yaml");
        t.step("create everything once, so that each way finds it there");
        apply(&env, &project).await?;
        t.step("apply in three ways");
        let mut results = Vec::new();
        for way in [
            &["apply"][..],
            &["apply", "--config", directory.as_str()],
            &["apply", "--config", file.as_str()],
        ] {
            let cli = if way.len() == 1 {
                project.cli(&env)
            } else {
                env.cli()
            };
            let output = cli.args(way.iter().copied()).run().await?;
            results.push((then::applied(&env, &output).await?, output.stdout));
        }
        assert_eq!(results[0], results[1], "the directory gives another result");
        assert_eq!(results[0], results[2], "the file gives another result");
        Ok(())
    });
}

#[test]
fn app_16_a_program_that_emits_fewer_agents_leaves_no_stale_output() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let agent = |name| (name, "", INSTRUCTIONS);
        let project = Project::with_agents(&t, &[agent("one"), agent("two"), agent("three")])?;
        assert_eq!(apply(&env, &project).await?.len(), 3);
        t.step("take one agent out and apply again");
        project.set_agents(&[agent("one"), agent("two")])?;
        let rows = apply(&env, &project).await?;
        assert_eq!(
            rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
            ["one", "two"]
        );
        Ok(())
    });
}

#[test]
fn app_22_a_deleted_agent_comes_back_whole() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        let before = apply(&env, &project).await?;
        t.step("delete the first agent");
        env.api().delete::<Agent>(&before[0].id).await?;
        let gone = env.api().get::<Agent>(&before[0].id).await.unwrap_err();
        assert_eq!(gone.code(), tonic::Code::NotFound);
        t.step("apply again");
        let after = apply(&env, &project).await?;
        assert_ne!(after[0].id, before[0].id);
        assert_eq!(
            (after[0].status.as_str(), after[1].status.as_str()),
            ("✓ Created", "✓ Unchanged")
        );
        let instance = default_instance(&env, &after[0].id).await?;
        assert_eq!(instance.name(), "code-reviewer-default");
        assert_eq!(
            instance.spec.map(|spec| spec.agent_id),
            Some(after[0].id.clone())
        );
        Ok(())
    });
}

#[test]
fn app_23_lists_return_what_was_created() {
    story(async |t| {
        let env = t.environment().answering("Fine.").start().await?;
        let rows = apply(&env, &Project::fixture(&t, "01-basic-agent")?).await?;
        t.step("run the first agent twice and the second once");
        let mut ids = Vec::new();
        for row in [&rows[0], &rows[0], &rows[1]] {
            let run = env
                .cli()
                .args(["run", &row.name, "--follow=false"])
                .run()
                .await?;
            run.exited_with(0)?;
            let id = then::started(&env, &run).await?;
            ids.push((
                id.clone(),
                then::completed(&env, &id, AGENT).await?.execution,
            ));
        }
        t.step("list them");
        let sorted = |executions: &[stigmer_api::agent_execution::AgentExecution]| {
            let mut ids = executions
                .iter()
                .map(|execution| execution.id().to_owned())
                .collect::<Vec<_>>();
            ids.sort();
            ids
        };
        let mut all = ids.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
        all.sort();
        assert_eq!(
            sorted(
                &env.api()
                    .agent_executions(ExecutionPhase::Unspecified)
                    .await?
            ),
            all
        );
        assert_eq!(
            sorted(
                &env.api()
                    .agent_executions(ExecutionPhase::ExecutionCompleted)
                    .await?
            ),
            all
        );
        assert!(
            env.api()
                .agent_executions(ExecutionPhase::ExecutionFailed)
                .await?
                .is_empty()
        );
        for (id, execution) in &ids {
            let session = execution
                .spec
                .as_ref()
                .map(|spec| spec.session_id.as_str())
                .unwrap_or_default();
            let of_session = env.api().agent_executions_of_session(session).await?;
            assert_eq!(
                sorted(&of_session),
                std::slice::from_ref(id),
                "session {session}"
            );
        }
        for row in &rows {
            let instances = env.api().instances_of_agent(&row.id).await?;
            assert_eq!(instances.total_count, 1);
            assert_eq!(instances.items, [default_instance(&env, &row.id).await?]);
        }
        Ok(())
    });
}
