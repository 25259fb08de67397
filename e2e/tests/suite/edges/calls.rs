//! gRPC calls that fail, or whose answers are lost, on the way from part to part.

use std::collections::BTreeSet;

use serde_json::json;
use stigmer_api::{
    ApiResourceKind, Resource, agent::Agent, agent_execution::ExecutionPhase,
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{
    Call, Expectation, Fault, Reply, Response,
    budget::{AGENT, WF},
    story,
};
use tonic::Code;

use crate::{given, then};

const AGENT_STATUS: &str =
    "ai.stigmer.agentic.agentexecution.v1.AgentExecutionCommandController/updateStatus";
const WORKFLOW_STATUS: &str =
    "ai.stigmer.agentic.workflowexecution.v1.WorkflowExecutionCommandController/updateStatus";
const START_WORKFLOW: &str =
    "temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution";

#[test]
fn edg_03_reports_of_an_agent_run_that_fail_or_get_lost_lose_and_double_nothing() {
    story(async |t| {
        let env = t
            .environment()
            .without_workflow_runner()
            .over_server_link()
            .start()
            .await?;
        let calls = env.server_link().calls();
        // The first report of the run does not arrive, twice, and then arrives without an answer.
        calls.fault(Fault::of(AGENT_STATUS, 1..=2).refused(Code::Unavailable));
        calls.fault(Fault::of(AGENT_STATUS, 3..=3).lost(Code::Unavailable));
        let answer = "One and two and three.";
        env.llm().expect(Expectation::message_containing(
            "count",
            Reply::text(answer),
        ));
        let agent: Agent = env
            .api()
            .create(given::agent("counter", "You count what you are told to."))
            .await?;
        let execution = given::execution("counting", agent.id(), "Please count.");
        let execution = env.api().create(execution).await?;
        let finished = then::completed(&env, execution.id(), AGENT).await?;
        let reports = calls.count(AGENT_STATUS);
        assert!(reports >= 5, "only {reports} reports");
        let status = finished.execution.status.unwrap_or_default();
        let contents = status.messages.iter().map(|it| it.content.as_str());
        assert_eq!(contents.collect::<Vec<_>>(), ["Please count.", answer]);
        assert_eq!(status.error, "");
        assert_eq!(env.llm().requests().len(), 1, "the model was asked again");
        assert_eq!(env.store().count(ApiResourceKind::AgentExecution)?, 1);
        Ok(())
    });
}

#[test]
fn edg_03_reports_of_a_workflow_run_that_fail_or_get_lost_lose_and_double_nothing() {
    story(async |t| {
        let env = t
            .environment()
            .without_agent_runner()
            .over_server_link()
            .start()
            .await?;
        let calls = env.server_link().calls();
        calls.fault(Fault::of(WORKFLOW_STATUS, 1..=2).refused(Code::Unavailable));
        calls.fault(Fault::of(WORKFLOW_STATUS, 3..=4).lost(Code::Unavailable));
        env.hub()
            .expect(Call::get("/once"), Response::json(json!({"n": 1})));
        let tasks = [
            given::http_get("fetch", &env.hub().url("/once")),
            given::set("keep", &json!({"kept": "yes"})),
        ];
        let workflow = env.api().create(given::workflow("steps", &tasks)).await?;
        let execution = given::workflow_execution("go", workflow.id());
        let execution = env.api().create(execution).await?;
        let finished = then::workflow::completed(&env, execution.id(), WF).await?;
        assert_eq!(
            then::workflow::states(&finished.execution),
            [("fetch", "completed"), ("keep", "completed")]
        );
        t.step("the last report, whose answer was lost, is repeated and changes nothing");
        let look = async || given::at_least(5, calls.count(WORKFLOW_STATUS));
        t.eventually("a fifth report", WF, look).await?;
        let again = env.api().get::<WorkflowExecution>(execution.id()).await?;
        let states = then::workflow::states(&again);
        assert_eq!(states, then::workflow::states(&finished.execution));
        assert_eq!(env.hub().received().len(), 1, "the task ran again");
        Ok(())
    });
}

#[test]
fn edg_04_a_start_that_fails_or_gets_lost_on_its_way_to_temporal_starts_one_workflow() {
    story(async |t| {
        let env = t
            .environment()
            .without_agent_runner()
            .over_call_link()
            .start()
            .await?;
        let tasks = [given::http_get("fetch", &env.hub().url("/once"))];
        let workflow = env.api().create(given::workflow("steps", &tasks)).await?;
        let calls = env.link().calls();
        let before = calls.count(START_WORKFLOW);
        calls.fault(Fault::of(START_WORKFLOW, 1..=2).refused(Code::Unavailable));
        calls.fault(Fault::of(START_WORKFLOW, 3..=3).lost(Code::Unavailable));
        env.hub()
            .expect(Call::get("/once"), Response::json(json!({"n": 1})));
        let execution = given::workflow_execution("go", workflow.id());
        let execution = env.api().create(execution).await?;
        then::workflow::completed(&env, execution.id(), WF).await?;
        let starts = calls.count(START_WORKFLOW) - before;
        assert!(starts >= 4, "only {starts} calls");
        assert_eq!(env.store().count(ApiResourceKind::WorkflowExecution)?, 1);
        let workflows = env.temporal().workflows().await?;
        let own = workflows
            .iter()
            .filter(|it| it.workflow_id.contains(execution.id()));
        let ids = own.map(|it| it.workflow_id.as_str()).collect::<Vec<_>>();
        let distinct = ids.iter().collect::<BTreeSet<_>>();
        assert!(!ids.is_empty(), "no workflow of it among {workflows:?}");
        assert_eq!(
            distinct.len(),
            ids.len(),
            "one workflow was run twice: {ids:?}"
        );
        Ok(())
    });
}

#[test]
fn edg_04_a_start_that_temporal_refuses_is_told_and_leaves_nothing() {
    story(async |t| {
        let env = t
            .environment()
            .without_runners()
            .over_call_link()
            .start()
            .await?;
        let agent: Agent = env
            .api()
            .create(given::agent("helper", "You help whoever asks."))
            .await?;
        let calls = env.link().calls();
        calls.fault(Fault::of(START_WORKFLOW, 1..=1).refused(Code::PermissionDenied));
        t.expects_error(
            "stigmer-server",
            "a fault that the test planned",
            "a Temporal that refuses what it is asked is a defect of the installation",
        );
        let execution = given::execution("refused", agent.id(), "Hello");
        let refused = env.api().create(execution).await;
        let error = refused.expect_err("the start was refused").to_string();
        assert!(error.contains("a fault that the test planned"), "{error}");
        assert_eq!(env.store().count(ApiResourceKind::AgentExecution)?, 0);
        let left = env
            .api()
            .agent_executions(ExecutionPhase::Unspecified)
            .await?;
        assert!(left.is_empty(), "{left:?}");
        Ok(())
    });
}
