//! Where the stack finds its Temporal, and what it calls there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stigmer_api::{
    LOCAL_ORG, Resource,
    agent::Agent,
    temporal_names::{activity, workflow},
    workflow_execution::{ExecutionPhase as WorkflowPhase, WorkflowExecutionStatus},
};
use stigmer_e2e::harness::{
    Broken, Call, CheckError, Environment, Expectation, Reply, Response,
    budget::{AGENT, START, WF},
    processes_of, remote_ports, story,
};
use stigmer_temporal::{Target, connect, list_workflow_ids};

use super::Subjects;
use crate::{
    fixture::Deployed,
    given,
    then::{self, Execution},
};

/// Where Temporal is found unless somebody says otherwise.
const DEFAULT_PORT: u16 = 7233;

#[test]
fn tmp_13_everything_works_at_another_port_in_another_namespace_and_nothing_touches_the_defaults() {
    story(async |t| {
        let env = t.environment().over_link().start().await?;
        Subjects::create(&env)
            .await?
            .complete(&env, "at another port")
            .await?;
        t.step("every part is connected to the port it was told, and none to the usual one");
        let address = env.link().address();
        let told = address.rsplit_once(':').map(|(_, port)| port.parse());
        let told: u16 = told.ok_or_else(|| Broken(address.clone()))??;
        assert_ne!(told, DEFAULT_PORT);
        let mut parts = 0;
        for process in processes_of(&env.home()) {
            let program = process.program.clone();
            let ports = remote_ports(&[process]);
            assert!(ports.contains(&told), "{program} is connected to {ports:?}");
            assert!(
                !ports.contains(&DEFAULT_PORT),
                "{program} is connected to {ports:?}"
            );
            parts += 1;
        }
        assert_eq!(parts, env.parts().count());
        t.step("what was run is in the namespace they were told, and not in `default`");
        let ran = async || match env.temporal().workflows().await {
            Ok(found) => {
                let runs = found
                    .iter()
                    .filter(|run| run.workflow_id.contains("invoke"));
                given::at_least(2, runs.count())
            }
            Err(error) => stigmer_e2e::harness::Probe::NotYet(error.to_string()),
        };
        t.eventually("both executions are visible", AGENT, ran)
            .await?;
        let target = Target::plain(&t.session().temporal.address, "default");
        let defaults = connect(&target, "stigmer-e2e").await?;
        let foreign = list_workflow_ids(&defaults).await?;
        let own = env.temporal().workflows().await?;
        let own = own.iter().map(|run| &run.workflow_id);
        let own = own.collect::<BTreeSet<_>>();
        let touched = foreign.iter().filter(|run| own.contains(&run.workflow_id));
        assert_eq!(touched.count(), 0);
        Ok(())
    });
}

/// What the stack calls in Temporal, and the part that has to do it. Pings are left out: every worker
/// answers them, as every environment proves when it starts.
const CALLED: [(&str, &str); 13] = [
    (workflow::AGENT_EXECUTION, "stigmer-server"),
    (workflow::WORKFLOW_EXECUTION, "stigmer-server"),
    (workflow::VALIDATE_WORKFLOW, "stigmer-server"),
    (workflow::SERVERLESS_WORKFLOW, "stigmer-workflow-runner"),
    (activity::ENSURE_THREAD, "stigmer-agent-runner"),
    (activity::EXECUTE_AGENT, "stigmer-agent-runner"),
    (activity::COMPLETE_EXTERNAL, "stigmer-server"),
    (activity::ATTEND_EXTERNAL, "stigmer-server"),
    (activity::EXECUTE_WORKFLOW, "stigmer-workflow-runner"),
    (activity::VALIDATE_WORKFLOW, "stigmer-workflow-runner"),
    (activity::CALL_HTTP, "stigmer-workflow-runner"),
    (activity::CALL_GRPC, "stigmer-workflow-runner"),
    (activity::CALL_AGENT, "stigmer-workflow-runner"),
];

/// Which processes did what in `history`: names of workflows and activities, to identities.
fn doers(history: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let events = history["events"].as_array().map_or(&[][..], Vec::as_slice);
    let attributes = |event: &Value, kind: &str| {
        let attributes = &event["attributes"][format!("{kind}EventAttributes")];
        attributes.is_object().then(|| attributes.clone())
    };
    let mut workflow_type = String::new();
    let mut scheduled = BTreeMap::new();
    for event in events {
        if let Some(started) = attributes(event, "WorkflowExecutionStarted") {
            workflow_type = started["workflow_type"]["name"].to_string();
        }
        if let Some(task) = attributes(event, "ActivityTaskScheduled") {
            let name = task["activity_type"]["name"].to_string();
            scheduled.insert(event["event_id"].to_string(), name);
        }
        let done = attributes(event, "WorkflowTaskCompleted").map(|it| (workflow_type.clone(), it));
        let done = done.or_else(|| {
            let started = attributes(event, "ActivityTaskStarted")?;
            let name = scheduled.get(&started["scheduled_event_id"].to_string())?;
            Some((name.clone(), started))
        });
        if let Some((name, event)) = done {
            // Both are JSON texts.
            let name = name.trim_matches('"').to_owned();
            let identity = event["identity"].as_str().unwrap_or_default();
            found.entry(name).or_default().insert(identity.to_owned());
        }
    }
}

/// Runs what makes the stack call all of [`CALLED`].
async fn call_everything(env: &Environment) -> Result<(), CheckError> {
    let helper: Agent = env
        .api()
        .create(given::agent("helper", "You help whoever asks."))
        .await?;
    assert_eq!(helper.metadata().map(|it| it.org.as_str()), Some(LOCAL_ORG));
    env.hub()
        .expect(Call::get("/call"), Response::json(json!({"ok": true})));
    env.llm().expect(Expectation::message_containing(
        "What is called?",
        Reply::text("Everything."),
    ));
    let config = json!({"agent": "helper", "scope": "organization", "message": "What is called?"});
    let tasks = [
        given::http_get("fetch", &env.hub().url("/call")),
        given::task("ask", "AGENT_CALL", config),
    ];
    let workflow = env.api().create(given::workflow("calls", &tasks)).await?;
    let execution = given::workflow_execution("go", workflow.id());
    let execution = env.api().create(execution).await?;
    assert!(execution.error().is_empty());
    then::workflow::completed(env, execution.id(), WF).await?;
    // Attending a caller ends, and is in the history, only when the caller goes.
    env.llm().expect(Expectation::message_containing(
        "Who waits?",
        Reply::silence(),
    ));
    let config = json!({"agent": "helper", "scope": "organization", "message": "Who waits?"});
    let tasks = [given::task("wait", "AGENT_CALL", config)];
    let workflow = env.api().create(given::workflow("waits", &tasks)).await?;
    let execution = given::workflow_execution("waits", workflow.id());
    let execution = env.api().create(execution).await?;
    let asked = async || given::at_least(2, env.llm().requests().len());
    env.test()
        .eventually("the agent is asked", AGENT, asked)
        .await?;
    let cancelled = WorkflowExecutionStatus {
        phase: WorkflowPhase::ExecutionCancelled as i32,
        ..Default::default()
    };
    env.api()
        .update_workflow_status(execution.id(), cancelled)
        .await?;
    Ok(())
}

#[test]
fn tmp_14_every_name_that_is_called_is_done_by_exactly_one_worker() {
    story(async |t| {
        let env = t.environment().start().await?;
        call_everything(&env).await?;
        Deployed::apply(&t, &env, "GRPC_CALL")
            .await?
            .completes(&[])
            .await?;
        t.step("who did it, by the histories");
        let expected = CALLED.iter().map(|(name, _)| (*name).to_owned());
        let expected = expected.collect::<BTreeSet<_>>();
        let look = async || match by_histories(&env).await {
            Ok(found) if expected.iter().all(|name| found.contains_key(name)) => {
                stigmer_e2e::harness::Probe::Done(found)
            }
            Ok(found) => stigmer_e2e::harness::Probe::NotYet(format!("{:?}", found.keys())),
            Err(error) => stigmer_e2e::harness::Probe::NotYet(error.to_string()),
        };
        let mut found = t
            .eventually("every name is in some history", START, look)
            .await?;
        found.remove(workflow::PING);
        let names = found.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names, expected, "a name that is not in the table");
        for (name, part) in CALLED {
            let doers = &found[name];
            let only = doers.iter().next().cloned().unwrap_or_default();
            assert_eq!(doers.len(), 1, "{name} was done by {doers:?}");
            assert!(
                only.starts_with(&format!("{part}@")),
                "{name} was done by {only}, not by {part}"
            );
        }
        Ok(())
    });
}

async fn by_histories(env: &Environment) -> Result<BTreeMap<String, BTreeSet<String>>, CheckError> {
    let mut found = BTreeMap::new();
    for run in env.temporal().workflows().await? {
        let history = env.temporal().raw_history(&run.workflow_id).await?;
        doers(&serde_json::from_str(&history)?, &mut found);
    }
    Ok(found)
}
