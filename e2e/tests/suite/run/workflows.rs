//! `stigmer run` of a workflow, on fixture 07.

use stigmer_api::{
    ApiResourceKind, LOCAL_ORG, Resource, agent_execution::ExecutionPhase, id::is_id,
    workflow::Workflow, workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{
    Call, CheckError, Environment, Gate, Response, Test, budget::WF, story,
};

pub use crate::fixtures::github::{PULL, pull as pull_request};
use crate::{
    fixture::Deployed,
    then::{self, Execution},
};

/// An environment with fixture 07.
pub async fn with_fixture_07(t: &Test) -> Result<(Environment, Deployed), CheckError> {
    let env = t.environment().without_agent_runner().start().await?;
    let deployed = Deployed::apply(t, &env, "07").await?;
    Ok((env, deployed))
}

#[test]
fn run_07_a_workflow_is_followed_to_its_end_and_counted() {
    story(async |t| {
        let (env, _) = with_fixture_07(&t).await?;
        let gate = Gate::closed();
        let answer = Response::json(pull_request()).behind(&gate);
        env.hub().expect(Call::get(PULL), answer);
        t.step("follow a run whose call is held until it was seen to start");
        let mut run = env
            .cli()
            .args(["run", "basic-data-fetch"])
            .within(WF.limit)
            .spawn()?;
        run.wait_for_line("the start of the execution", |line| {
            line.contains("Execution started")
        })
        .await?;
        gate.open();
        let output = run.finish().await?;
        output
            .exited_with(0)?
            .says_at_line_end("Workflow execution started: basic-data-fetch")?;
        t.within(WF, "stigmer run", output.duration)?;
        let id = then::workflow::started(&env, &output).await?;
        assert!(is_id(ApiResourceKind::WorkflowExecution, &id) && id.starts_with("wex-"));
        t.step("each phase once, then the tally");
        for (phase, at_least) in [
            ("Execution pending", 0),
            ("Execution started", 1),
            ("Execution completed", 1),
        ] {
            let shown = output.lines_with(phase);
            assert!(
                (at_least..=1).contains(&shown),
                "{phase:?} was shown {shown} times:\n{}",
                output.stdout
            );
        }
        output
            .says_at_line_end("Done!")?
            .says_at_line_end("Total tasks: 2")?
            .says_at_line_end("Completed: 2")?
            .does_not_say("Failed:")?
            .does_not_say("Skipped:")?;
        t.step("the record says the same");
        let finished = then::workflow::completed(&env, &id, WF).await?;
        assert_eq!(
            then::workflow::states(&finished.execution),
            [
                ("fetchPullRequest", "completed"),
                ("processResponse", "completed")
            ]
        );
        Ok(())
    });
}

#[test]
fn run_08_a_run_that_waits_for_its_answer_is_not_over() {
    story(async |t| {
        let (env, deployed) = with_fixture_07(&t).await?;
        let gate = Gate::closed();
        let answer = Response::json(pull_request()).behind(&gate);
        env.hub().expect(Call::get(PULL), answer);
        let id = deployed.start(&[]).await?;
        t.step("read it at once");
        let first: WorkflowExecution = env.api().get(&id).await?;
        let running = [
            ExecutionPhase::ExecutionPending,
            ExecutionPhase::ExecutionInProgress,
        ];
        assert!(
            running.contains(&first.phase()),
            "the first read says {:?}",
            first.phase()
        );
        t.step("read it while its call is open");
        t.eventually("the hub was called", WF, async || {
            crate::given::at_least(1, env.hub().open_calls())
        })
        .await?;
        let second: WorkflowExecution = env.api().get(&id).await?;
        assert_eq!(second.phase(), ExecutionPhase::ExecutionInProgress);
        gate.open();
        let finished = then::workflow::completed(&env, &id, WF).await?;
        assert_eq!(
            finished.phases.last(),
            Some(&ExecutionPhase::ExecutionCompleted)
        );
        Ok(())
    });
}

#[test]
fn run_09_the_record_names_its_workflow_instance_and_org() {
    story(async |t| {
        let (env, deployed) = with_fixture_07(&t).await?;
        env.hub()
            .expect(Call::get(PULL), Response::json(pull_request()));
        let id = deployed.start(&[]).await?;
        let execution = then::workflow::completed(&env, &id, WF).await?.execution;
        let workflow: Workflow = env.api().get(deployed.id("basic-data-fetch")?).await?;
        let instance = workflow
            .status
            .as_ref()
            .map_or("", |status| &status.default_instance_id);
        assert!(is_id(ApiResourceKind::WorkflowInstance, instance));
        assert_eq!(execution.id(), id);
        let metadata = execution.metadata.clone().unwrap_or_default();
        assert_eq!(metadata.org, LOCAL_ORG);
        let spec = execution.spec.clone().unwrap_or_default();
        assert_eq!(spec.workflow_id, workflow.id());
        assert_eq!(spec.workflow_instance_id, instance);
        let status = execution
            .status
            .as_ref()
            .expect("an execution has a status");
        assert!(status.audit.is_some(), "{status:?}");
        assert!(!status.temporal_workflow_id.is_empty(), "{status:?}");
        Ok(())
    });
}
