//! Tools that go wrong, and an execution that is cancelled in the middle of a call.

use serde_json::json;
use stigmer_api::{
    Resource,
    agent_execution::{
        AgentExecution, AgentExecutionStatus, ExecutionPhase, MessageType, ToolCallStatus,
    },
    temporal_names::agent_execution_workflow_id,
};
use stigmer_e2e::harness::{
    CheckError, Environment, Expectation, Probe, Reply,
    budget::{AGENT, STOP},
    story,
};

use super::at_work::{TASK, agent_with, calls, group_gone, impatient, start, stdio, texts};
use crate::then;

/// Lets the model ask for the number of the server's process, and then for `tool`.
fn expect_call(env: &Environment, message: &str, tool: &str, arguments: serde_json::Value) {
    let first = Reply::calling("s__pid", &json!({}));
    env.llm()
        .expect(Expectation::message_containing(message, first));
    let second = Reply::calling(&format!("s__{tool}"), &arguments);
    env.llm().expect(Expectation::result_containing("", second));
}

/// The number of the server's process, which the first call told.
fn pid(status: &AgentExecutionStatus) -> i32 {
    status.tool_calls[0]
        .result
        .parse()
        .expect("a process number")
}

#[test]
fn agt_05_a_tool_that_goes_wrong_fails_its_call_and_the_agent_goes_on() {
    story(async |t| {
        let env = impatient(&t, 2).await?;
        for (tool, arguments, cause) in [
            (
                "hang",
                json!({"child": true}),
                "it did not answer within 2 s",
            ),
            (
                "flood",
                json!({"length": 9_000_000}),
                "it sent a message of more than 8 MiB",
            ),
            (
                "lie",
                json!({}),
                "it did not answer within 2 s; it wrote what is no JSON-RPC message: \"{",
            ),
            ("die", json!({}), "it closed its standard output"),
            ("fail", json!({}), "the specimen failed as it was told"),
        ] {
            t.step(format!("a tool that goes wrong: {tool}"));
            let message = format!("Try {tool}.");
            expect_call(&env, &message, tool, arguments);
            let answer = Reply::text("It does not work.");
            env.llm()
                .expect(Expectation::result_containing("Error: ", answer));
            let id = start(&env, agent_with([stdio("s")]), |execution| {
                execution.spec.get_or_insert_default().message = message;
            })
            .await?;
            let finished = then::completed(&env, &id, AGENT).await?;
            let status = finished.execution.status.unwrap_or_default();
            let [_, (_, state, error)] = calls(&status)[..] else {
                panic!("{:?}", calls(&status))
            };
            assert_eq!(state, ToolCallStatus::ToolCallFailed, "{tool}");
            assert!(
                error.contains(cause),
                "{tool}: {cause:?} is missing in {error:?}"
            );
            assert_eq!(
                texts(&status, MessageType::MessageAi),
                ["It does not work."]
            );
            group_gone(&env, pid(&status)).await?;
        }
        Ok(())
    });
}

#[test]
fn agt_05_a_long_result_is_cut_before_the_model_reads_it() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        expect_call(&env, TASK, "flood", json!({"length": 2_000_000}));
        env.llm().expect(Expectation::result_containing(
            "(2000000 characters in all)",
            Reply::text("That was long."),
        ));
        let id = start(&env, agent_with([stdio("s")]), |_| ()).await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        let status = finished.execution.status.unwrap_or_default();
        let [_, (_, state, result)] = calls(&status)[..] else {
            panic!("{:?}", calls(&status))
        };
        assert_eq!(state, ToolCallStatus::ToolCallCompleted);
        assert!(result.ends_with("(2000000 characters in all)") && result.len() < 20_000);
        let requests = env.llm().requests();
        let read = requests[2].last_result().unwrap_or_default();
        assert!(read.len() < 100_000, "the model read {} bytes", read.len());
        Ok(())
    });
}

async fn status(env: &Environment, id: &str) -> Result<AgentExecutionStatus, CheckError> {
    let execution: AgentExecution = env.api().get(id).await?;
    Ok(execution.status.unwrap_or_default())
}

/// Waits until the second call of the execution goes on, and gives its status then.
async fn hanging(env: &Environment, id: &str) -> Result<AgentExecutionStatus, CheckError> {
    let running = ToolCallStatus::ToolCallRunning;
    let look = async || match status(env, id).await {
        Ok(status) if status.tool_calls.get(1).map(|call| call.status()) == Some(running) => {
            Probe::Done(status)
        }
        Ok(status) => Probe::NotYet(format!("{:?}", calls(&status))),
        Err(error) => Probe::Hopeless(error.to_string()),
    };
    let awaited = "the second call is on record as RUNNING";
    Ok(env.test().eventually(awaited, AGENT, look).await?)
}

#[test]
fn agt_08_cancelling_in_the_middle_of_a_call_ends_the_server_and_stays() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        expect_call(&env, TASK, "hang", json!({"child": true}));
        let id = start(&env, agent_with([stdio("s")]), |_| ()).await?;
        t.step("wait until the tool hangs");
        let before = hanging(&env, &id).await?;
        t.step("cancel the execution");
        let cancelled = AgentExecutionStatus {
            phase: ExecutionPhase::ExecutionCancelled as i32,
            ..Default::default()
        };
        env.api().update_status(&id, cancelled).await?;
        group_gone(&env, pid(&before)).await?;
        t.step("the workflow ends, and the record stays what it is");
        let workflow = agent_execution_workflow_id(&id);
        let ended = async || match env.temporal().workflows().await {
            Ok(all) => match all.iter().find(|known| known.workflow_id == workflow) {
                Some(known) if known.status == "Running" => Probe::NotYet(known.status.clone()),
                Some(_) => Probe::Done(()),
                None => Probe::NotYet("unknown".to_owned()),
            },
            Err(error) => Probe::Hopeless(error.to_string()),
        };
        t.eventually("the workflow of the execution has ended", STOP, ended)
            .await?;
        let execution: AgentExecution = env.api().get(&id).await?;
        assert_eq!(
            then::phase_of(&execution),
            ExecutionPhase::ExecutionCancelled
        );
        let status = execution.status.clone().unwrap_or_default();
        let states = status.tool_calls.iter().map(|call| call.status());
        assert_eq!(
            states.collect::<Vec<_>>(),
            [
                ToolCallStatus::ToolCallCompleted,
                ToolCallStatus::ToolCallFailed
            ]
        );
        assert_eq!(
            env.llm().requests().len(),
            2,
            "the model was asked after the end"
        );
        assert_eq!(execution.id(), id);
        Ok(())
    });
}

#[test]
fn agt_08_a_runner_that_is_stopped_ends_the_server_and_says_so() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        expect_call(&env, TASK, "hang", json!({"child": true}));
        let id = start(&env, agent_with([stdio("s")]), |_| ()).await?;
        let before = hanging(&env, &id).await?;
        t.step("stop the runner in the middle of the call");
        env.agent_runner().stop().await?;
        group_gone(&env, pid(&before)).await?;
        let finished = then::finished(&env, &id, AGENT).await?;
        let status = finished.execution.status.unwrap_or_default();
        assert_eq!(status.phase(), ExecutionPhase::ExecutionFailed);
        assert!(
            status.error.contains("agent-runner was stopped"),
            "{:?}",
            status.error
        );
        assert_eq!(calls(&status)[1].1, ToolCallStatus::ToolCallFailed);
        Ok(())
    });
}

#[test]
fn agt_08_a_runner_that_is_killed_takes_the_server_along() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        // Without a child: what a program has started, nobody but the runner can know.
        expect_call(&env, TASK, "hang", json!({}));
        let id = start(&env, agent_with([stdio("s")]), |_| ()).await?;
        let before = hanging(&env, &id).await?;
        t.step("kill the runner in the middle of the call");
        env.agent_runner().kill9().await?;
        group_gone(&env, pid(&before)).await?;
        Ok(())
    });
}
