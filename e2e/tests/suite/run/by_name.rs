//! `stigmer run <name or id>` outside of any project.

use std::time::Duration;

use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, MessageType},
    session::Session,
};
use stigmer_e2e::harness::{
    CheckError, CliOutput, Environment, Expectation, Reply, Test, budget::AGENT, story,
};

use crate::{
    fixture::Deployed,
    then::{self, Applied},
};

const ANSWER: &str = "Hello from the scripted model.";

async fn with_fixture_01(t: &Test) -> Result<(Environment, Vec<Applied>), CheckError> {
    let env = t
        .environment()
        .without_workflow_runner()
        .answering(ANSWER)
        .start()
        .await?;
    let rows = Deployed::apply(t, &env, "01").await?.rows;
    Ok((env, rows))
}

/// Runs `who` without following, and checks what every such run has to say.
async fn run(
    env: &Environment,
    who: &str,
    name: &str,
    message: &str,
) -> Result<(CliOutput, String), CheckError> {
    let output = env
        .cli()
        .args(["run", who, "--message", message, "--follow=false"])
        .run()
        .await?;
    output
        .exited_with(0)?
        .says_at_line_end(&format!("Agent execution started: {name}"))?;
    let id = then::started(env, &output).await?;
    Ok((output, id))
}

/// Texts of the messages of one type.
fn texts(execution: &AgentExecution, kind: MessageType) -> Vec<&str> {
    let messages = execution
        .status
        .as_ref()
        .map_or(&[][..], |status| &status.messages);
    messages
        .iter()
        .filter(|message| message.r#type() == kind)
        .map(|message| message.content.as_str())
        .collect()
}

/// Everything a record has to hold after a run of `agent` with `message`.
async fn check_record(
    env: &Environment,
    execution: &AgentExecution,
    agent: &Applied,
    message: &str,
) -> Result<(), CheckError> {
    let spec = execution.spec.clone().unwrap_or_default();
    assert_eq!(spec.agent_id, agent.id);
    assert_eq!(spec.message, message);
    let stored: Agent = env.api().get(&agent.id).await?;
    let session: Session = env.api().get(&spec.session_id).await?;
    let instance = session.spec.map(|spec| spec.agent_instance_id);
    assert_eq!(
        instance,
        stored.status.map(|status| status.default_instance_id)
    );
    let status = execution.status.clone().unwrap_or_default();
    assert!(!status.started_at.is_empty(), "started_at is not set");
    // Both are UTC with microseconds, so they sort as texts.
    assert!(
        status.started_at <= status.completed_at,
        "{} is after {}",
        status.started_at,
        status.completed_at
    );
    assert_eq!(texts(execution, MessageType::MessageHuman), [message]);
    assert_eq!(texts(execution, MessageType::MessageAi), [ANSWER]);
    Ok(())
}

#[test]
fn run_01_a_run_without_following_returns_at_once_and_completes() {
    story(async |t| {
        let (env, rows) = with_fixture_01(&t).await?;
        let (output, id) =
            run(&env, "code-reviewer", "code-reviewer", "Hello, test agent!").await?;
        assert!(
            output.duration < Duration::from_secs(5),
            "it took {:?}",
            output.duration
        );
        let finished = then::completed(&env, &id, AGENT).await?;
        assert_eq!(
            finished.execution.spec.map(|spec| spec.agent_id),
            Some(rows[0].id.clone())
        );
        Ok(())
    });
}

#[test]
fn run_02_the_record_holds_the_message_the_answer_and_the_session() {
    story(async |t| {
        let (env, rows) = with_fixture_01(&t).await?;
        let message = "Hello, test agent! \"Quoted\", ünïcode, and\na second line.";
        let (_, id) = run(&env, "code-reviewer", "code-reviewer", message).await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        check_record(&env, &finished.execution, &rows[0], message).await?;
        t.step("the model was asked once, with the instructions and the message");
        let requests = env.llm().requests();
        assert_eq!(requests.len(), 1);
        assert!(
            requests[0].last_user_message().contains(message),
            "{:?}",
            requests[0].last_user_message()
        );
        let agent: Agent = env.api().get(&rows[0].id).await?;
        let instructions = agent.spec.map(|spec| spec.instructions).unwrap_or_default();
        let system = requests[0].messages_of("system");
        assert!(
            system.iter().any(|text| text.contains(instructions.trim())),
            "{system:?}"
        );
        Ok(())
    });
}

#[test]
fn run_03_another_agent_gets_its_own_message_and_is_left_as_it_was() {
    story(async |t| {
        let (env, rows) = with_fixture_01(&t).await?;
        let before: Agent = env.api().get(&rows[1].id).await?;
        let message = "Review this for security, please.";
        let (_, id) = run(&env, "code-reviewer-pro", "code-reviewer-pro", message).await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        check_record(&env, &finished.execution, &rows[1], message).await?;
        let after: Agent = env.api().get(&rows[1].id).await?;
        assert_eq!(after, before, "the run changed the agent");
        Ok(())
    });
}

#[test]
fn run_05_an_id_does_what_the_name_does() {
    story(async |t| {
        let (env, rows) = with_fixture_01(&t).await?;
        let message = "By id.";
        let (_, id) = run(&env, &rows[1].id, "code-reviewer-pro", message).await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        check_record(&env, &finished.execution, &rows[1], message).await?;
        Ok(())
    });
}

#[test]
fn run_13_without_a_message_the_agent_is_told_to_execute() {
    story(async |t| {
        let (env, _) = with_fixture_01(&t).await?;
        let output = env
            .cli()
            .args(["run", "code-reviewer", "--follow=false"])
            .run()
            .await?;
        output.exited_with(0)?;
        let id = then::started(&env, &output).await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        assert_eq!(
            finished.execution.spec.map(|spec| spec.message).as_deref(),
            Some("execute")
        );
        Ok(())
    });
}

#[test]
fn run_15_a_failed_execution_is_told_with_its_cause_and_fails_the_command() {
    story(async |t| {
        let env = t.environment().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        t.step("run it against a model that refuses");
        env.llm()
            .answer_any(Reply::status(400, "scripted refusal 4711"));
        let output = env
            .cli()
            .args(["run", "code-reviewer", "--message", "Fail, please."])
            .run()
            .await?;
        output
            .exited_with(1)?
            .says("scripted refusal 4711")?
            .does_not_say("Done!")?;
        let id = then::started(&env, &output).await?;
        let finished = then::finished(&env, &id, AGENT).await?;
        let status = finished.execution.status.clone().unwrap_or_default();
        assert_eq!(
            status.phase(),
            stigmer_api::agent_execution::ExecutionPhase::ExecutionFailed
        );
        assert!(
            status.error.contains("scripted refusal 4711"),
            "the error of the record is {:?}",
            status.error
        );
        assert_eq!(
            texts(&finished.execution, MessageType::MessageHuman),
            ["Fail, please."]
        );
        Ok(())
    });
}

#[test]
fn run_02_the_expected_request_is_answered_with_its_own_text() {
    story(async |t| {
        let (env, rows) = with_fixture_01(&t).await?;
        env.llm().expect(Expectation::message_containing(
            "marker-one",
            Reply::text("Answer number one."),
        ));
        env.llm().expect(Expectation::message_containing(
            "marker-two",
            Reply::text("Answer number two."),
        ));
        t.step("run two agents at once");
        let (one, two) = tokio::try_join!(
            run(&env, &rows[0].name, &rows[0].name, "Use marker-one."),
            run(&env, &rows[1].name, &rows[1].name, "Use marker-two."),
        )?;
        let (one, two) = tokio::try_join!(
            then::completed(&env, &one.1, AGENT),
            then::completed(&env, &two.1, AGENT)
        )?;
        assert_eq!(
            texts(&one.execution, MessageType::MessageAi),
            ["Answer number one."]
        );
        assert_eq!(
            texts(&two.execution, MessageType::MessageAi),
            ["Answer number two."]
        );
        assert_ne!(one.execution.id(), two.execution.id());
        Ok(())
    });
}
