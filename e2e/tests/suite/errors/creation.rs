//! Creating what cannot be: a second time, or of something that is not there.

use stigmer_api::{
    ApiResourceKind, Resource,
    agent_execution::AgentExecution,
    id::new_id,
    workflow_execution::{WorkflowExecution, WorkflowExecutionSpec},
};
use stigmer_e2e::harness::{Answer, story};
use tonic::Code;

use crate::{
    given::{agent, execution, task, workflow, workflow_execution},
    then::Refusal,
};

/// The code and the words of a refusal.
#[track_caller]
fn refused<R: Resource>(what: &str, answer: Answer<R>) -> (Code, String) {
    match answer {
        Ok(created) => panic!("{what}: it was accepted as {}", created.id()),
        Err(error) => (error.code(), error.status.message().to_owned()),
    }
}

fn greeting() -> serde_json::Value {
    let config = serde_json::json!({"variables": {"greeting": "hello"}});
    task("greet", "SET", config)
}

#[test]
fn err_17_a_second_create_is_refused_as_a_duplicate_and_changes_nothing() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let instructions = "Answer in one short sentence.";
        let first = env.api().create(agent("reviewer", instructions)).await?;
        let flow = env.api().create(workflow("flow", &[greeting()])).await?;
        let refusal = Refusal::expected(&env)?;
        t.step("the same names again");
        let again = agent("reviewer", "Answer in one long sentence.");
        let (code, text) = refused("an agent", env.api().create(again).await);
        assert_eq!(code, Code::AlreadyExists, "{text}");
        assert!(text.contains("reviewer"), "{text}");
        let again = workflow("flow", &[greeting(), greeting()]);
        let (code, text) = refused("a workflow", env.api().create(again).await);
        // Two tasks of one name are wrong as well, and whichever is found first may be told.
        assert!(
            matches!(code, Code::AlreadyExists | Code::InvalidArgument),
            "{code:?}: {text}"
        );
        let again = workflow("flow", &[greeting()]);
        let (code, text) = refused("a workflow", env.api().create(again).await);
        assert_eq!(code, Code::AlreadyExists, "{text}");
        assert!(text.contains("flow"), "{text}");
        refusal.check_store("a refused create")?;
        t.step("what there was is as it was");
        assert_eq!(
            env.api()
                .get::<stigmer_api::agent::Agent>(first.id())
                .await?,
            first
        );
        assert_eq!(
            env.api()
                .get::<stigmer_api::workflow::Workflow>(flow.id())
                .await?,
            flow
        );
        t.step("the control: a name of another kind is free");
        env.api().create(agent("flow", instructions)).await?;
        assert_eq!(env.store().count(ApiResourceKind::Agent)?, 2);
        Ok(())
    });
}

#[test]
fn err_18_an_execution_of_nothing_is_refused_and_leaves_no_row() {
    story(async |t| {
        let env = t.environment().start().await?;
        let refusal = Refusal::expected(&env)?;
        t.step("of neither an agent nor a session, of neither a workflow nor an instance");
        let (code, text) = refused(
            "an agent execution of nothing",
            env.api().create(execution("err-18", "", "Hello")).await,
        );
        assert_eq!(code, Code::InvalidArgument, "{text}");
        assert!(
            text.contains("agent_id") && text.contains("session_id"),
            "{text}"
        );
        let (code, text) = refused(
            "a workflow execution of nothing",
            env.api().create(workflow_execution("err-18", "")).await,
        );
        assert_eq!(code, Code::InvalidArgument, "{text}");
        assert!(
            text.contains("workflow_id") && text.contains("workflow_instance_id"),
            "{text}"
        );
        refusal.check_store("an execution of nothing")?;
        t.step("of what does not exist");
        let unknown = new_id(ApiResourceKind::Agent);
        let of_agent = execution("err-18", &unknown, "Hello");
        let (code, text) = refused("an unknown agent", env.api().create(of_agent).await);
        assert_eq!(code, Code::NotFound, "{text}");
        assert!(text.contains(&unknown), "{text}");
        let unknown = new_id(ApiResourceKind::Workflow);
        let of_workflow = workflow_execution("err-18", &unknown);
        let (code, text) = refused("an unknown workflow", env.api().create(of_workflow).await);
        assert_eq!(code, Code::NotFound, "{text}");
        assert!(text.contains(&unknown), "{text}");
        let unknown = new_id(ApiResourceKind::Session);
        let mut of_session: AgentExecution = execution("err-18", "", "Hello");
        of_session
            .spec
            .get_or_insert_default()
            .session_id
            .clone_from(&unknown);
        let (code, text) = refused("an unknown session", env.api().create(of_session).await);
        assert_eq!(code, Code::NotFound, "{text}");
        assert!(text.contains(&unknown), "{text}");
        let unknown = new_id(ApiResourceKind::WorkflowInstance);
        let mut of_instance: WorkflowExecution = workflow_execution("err-18", "");
        of_instance.spec = Some(WorkflowExecutionSpec {
            workflow_instance_id: unknown.clone(),
            ..of_instance.spec.unwrap_or_default()
        });
        let (code, text) = refused("an unknown instance", env.api().create(of_instance).await);
        assert_eq!(code, Code::NotFound, "{text}");
        assert!(text.contains(&unknown), "{text}");
        refusal.check_store("an execution of what does not exist")?;
        assert!(env.llm().requests().is_empty(), "the model was asked");
        Ok(())
    });
}
