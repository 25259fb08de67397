//! One test per link between a task that calls an agent and the answer it gets. Each goes without the
//! links before and after its own, so that a fault in one link turns one of these tests red.

mod waiting;

use serde_json::{Value, json};
use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, ExecutionConfig, ExecutionPhase},
    annotation::{EXECUTION_TEMPERATURE, EXECUTION_TIMEOUT_SECONDS},
    execution_context::ExecutionValue,
    temporal_names::serverless_workflow_id,
};
use stigmer_e2e::harness::{
    CheckError, Environment, Expectation, Probe, Reply, budget::AGENT, story,
};
use temporalio_client::{ActivityIdentifier, RpcOptions};

use super::simple::only_agent_execution;
use crate::{
    given,
    history::payloads,
    then::{self, Execution},
    worker::{Worker, client},
};

const MESSAGE: &str = "Say what you think of hops.";
const INSTRUCTIONS: &str = "You know everything about hops.";

/// The agent that is called; its id.
async fn agent(env: &Environment) -> Result<String, CheckError> {
    let created: Agent = env
        .api()
        .create(given::agent("helper", INSTRUCTIONS))
        .await?;
    Ok(created.id().to_owned())
}

/// Starts a workflow with one task, `ask`; the execution's id.
async fn start(env: &Environment, task: Value) -> Result<String, CheckError> {
    let workflow = env.api().create(given::workflow("hop", &[task])).await?;
    let execution = given::workflow_execution("hop-run", workflow.id());
    Ok(env.api().create(execution).await?.id().to_owned())
}

/// The task that calls the agent with everything a call can have.
fn call() -> Value {
    let config = json!({
        "agent": "helper",
        "scope": "organization",
        "message": MESSAGE,
        "env": {"TOPIC": "hops"},
        "config": {"model": "model-of-the-call", "timeout": 77, "temperature": 0.25},
    });
    given::task("ask", "AGENT_CALL", config)
}

#[test]
fn wca_15_config_to_activity_everything_in_the_task_is_the_activitys_argument() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        // Without the agent, nothing can come after the activity.
        let id = start(&env, call()).await?;
        then::workflow::failed(&env, &id, AGENT, &["ask", "helper"]).await?;
        let history = env.temporal().history(&serverless_workflow_id(&id)).await?;
        assert_eq!(history.matches("\"CallAgentActivity\"").count(), 1);
        let arguments = payloads(&history);
        let mut arguments = arguments
            .iter()
            .filter(|argument| argument["agent"] == "helper");
        let argument = arguments.next().cloned().unwrap_or_default();
        assert_eq!(argument["message"], MESSAGE);
        assert_eq!(argument["scope"], "organization");
        assert_eq!(argument["env"], json!({"TOPIC": "hops"}));
        let config = &argument["config"];
        assert_eq!(config["model"], "model-of-the-call");
        assert_eq!(config["timeout"].as_f64(), Some(77.0));
        assert_eq!(config["temperature"].as_f64(), Some(0.25));
        Ok(())
    });
}

#[test]
fn wca_15_activity_to_create_call_the_argument_is_the_agent_execution() {
    story(async |t| {
        // Without an agent-runner, nothing comes after the create call.
        let env = t.environment().without_agent_runner().start().await?;
        let agent_id = agent(&env).await?;
        start(&env, call()).await?;
        let created = only_agent_execution(&env).await?;
        assert_eq!(created.phase(), ExecutionPhase::ExecutionPending);
        assert!(created.name().starts_with("helper-execution-"));
        let annotations = created.metadata().cloned().unwrap_or_default().annotations;
        assert_eq!(annotations[EXECUTION_TEMPERATURE], "0.25");
        assert_eq!(annotations[EXECUTION_TIMEOUT_SECONDS], "77");
        let spec = created.spec.unwrap_or_default();
        assert_eq!((spec.agent_id, spec.message.as_str()), (agent_id, MESSAGE));
        let config = spec.execution_config.unwrap_or_default();
        assert_eq!(config.model_name, "model-of-the-call");
        let given = &spec.runtime_env["TOPIC"];
        assert_eq!((given.value.as_str(), given.is_secret), ("hops", false));
        Ok(())
    });
}

/// An execution of the agent as a call of it makes one.
fn called(agent_id: &str, callback_token: Vec<u8>) -> AgentExecution {
    let mut execution = given::execution("helper-execution-1", agent_id, MESSAGE);
    let annotations = &mut execution.metadata_mut().annotations;
    annotations.insert(EXECUTION_TEMPERATURE.to_owned(), "0.25".to_owned());
    annotations.insert(EXECUTION_TIMEOUT_SECONDS.to_owned(), "77".to_owned());
    if let Some(spec) = &mut execution.spec {
        spec.execution_config = Some(ExecutionConfig {
            model_name: "model-of-the-call".to_owned(),
        });
        let topic = ExecutionValue {
            value: "hops".to_owned(),
            is_secret: false,
        };
        spec.runtime_env.insert("TOPIC".to_owned(), topic);
        spec.callback_token = callback_token;
    }
    execution
}

#[test]
fn wca_15_create_call_to_agent_run_the_execution_is_what_the_model_is_asked() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        let agent_id = agent(&env).await?;
        let answer = Reply::text("Hops are fine.");
        env.llm()
            .expect(Expectation::message_containing(MESSAGE, answer));
        let execution = env.api().create(called(&agent_id, Vec::new())).await?;
        then::completed(&env, execution.id(), AGENT).await?;
        let request = &env.llm().requests()[0];
        assert_eq!(request.model(), "model-of-the-call");
        assert_eq!(request.body["temperature"].as_f64(), Some(0.25));
        let system = request.messages_of("system").join("\n");
        assert!(system.contains(INSTRUCTIONS), "{system}");
        assert!(system.contains("TOPIC"), "{system}");
        Ok(())
    });
}

#[test]
fn wca_15_answer_to_callback_the_last_message_completes_the_activity_of_the_token() {
    story(async |t| {
        let env = t.environment().start().await?;
        let agent_id = agent(&env).await?;
        t.step("an activity that waits to be completed from outside");
        let tokens = waiting::Tokens::default();
        let worker = Worker::start(&env, tokens.worker()).await?;
        let wait = json!({"activity": "hops/wait@hops", "input": {}});
        let id = start(&env, given::task("ask", "CALL_ACTIVITY", wait)).await?;
        let token = async || match tokens.first() {
            Some(token) => Probe::Done(token),
            None => Probe::NotYet("no token".to_owned()),
        };
        let token = t.eventually("the activity waits", AGENT, token).await?;
        t.step("an agent's execution that is told the activity's token");
        let answer = Reply::text("Hops are fine.");
        env.llm()
            .expect(Expectation::message_containing(MESSAGE, answer));
        env.api().create(called(&agent_id, token)).await?;
        let finished = then::workflow::completed(&env, &id, AGENT).await?;
        assert_eq!(
            then::workflow::output(&finished.execution, "ask")?,
            json!({"result": "Hops are fine."})
        );
        worker.stop().await?;
        Ok(())
    });
}

#[test]
fn wca_15_callback_to_task_output_what_completes_the_activity_is_the_tasks_output() {
    story(async |t| {
        // Without an agent-runner, nobody else completes it.
        let env = t.environment().without_agent_runner().start().await?;
        agent(&env).await?;
        let id = start(&env, call()).await?;
        only_agent_execution(&env).await?;
        t.step("complete the activity in place of the server");
        let activity =
            ActivityIdentifier::by_id_workflow(serverless_workflow_id(&id), "", "task-ask");
        let handle = client(&env).await?.get_async_activity_handle(activity);
        let answer = "An answer from outside.".to_owned();
        handle
            .complete(Some(answer.clone()), RpcOptions::default())
            .await?;
        let finished = then::workflow::completed(&env, &id, AGENT).await?;
        assert_eq!(
            then::workflow::output(&finished.execution, "ask")?,
            json!({"result": answer})
        );
        Ok(())
    });
}
