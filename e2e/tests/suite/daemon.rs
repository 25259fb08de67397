//! Section 9: the life of the daemon. Each test has a HOME and ports of its own; most use the run's
//! Temporal in a namespace of their own, and those about Temporal run one of theirs.

mod auto_start;
mod faults;
mod logs;
mod nightly;
mod ports_and_pids;
mod settings;
mod signals;
mod start_and_stop;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, ExecutionPhase},
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::{
    ensure,
    harness::{
        Api, Broken, Daemon, DaemonReport, Failure, HomeProcess, Probe, Test,
        budget::{AGENT, Budget, WF},
    },
};

use crate::{given, then::Execution};

/// How long a fault may go unnoticed, and a part may take to come back.
const BACK: Budget = Budget {
    name: "BACK",
    limit: Duration::from_secs(30),
};

/// Every part of the stack's own, as the daemon calls it, and its program.
const PARTS: [(&str, &str); 3] = [
    ("stigmer-server", "stigmer-server"),
    ("workflow-runner", "stigmer-workflow-runner"),
    ("agent-runner", "stigmer-agent-runner"),
];

/// An agent that is stored through the API.
async fn agent(api: &Api, name: &str) -> Result<Agent, Failure> {
    Ok(api.apply(given::agent(name, "Answer in one word.")).await?)
}

/// Runs `agent` to COMPLETED.
async fn agent_completes(t: &Test, api: &Api, agent: &Agent) -> Result<(), Failure> {
    let execution = given::execution(&unique("run"), agent.id(), "Say it.");
    let execution = api.create(execution).await?;
    completes::<AgentExecution>(t, api, execution.id(), AGENT).await
}

/// Runs a workflow of one task to COMPLETED.
async fn workflow_completes(t: &Test, api: &Api, name: &str) -> Result<(), Failure> {
    let tasks = [given::set(
        "greet",
        &serde_json::json!({"greeting": "hello"}),
    )];
    let workflow = api.apply(given::workflow(name, &tasks)).await?;
    let execution = given::workflow_execution(&unique("run"), workflow.id());
    let execution = api.create(execution).await?;
    completes::<WorkflowExecution>(t, api, execution.id(), WF).await
}

/// A name that no other execution of the test has.
fn unique(name: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

async fn completes<E: Execution>(
    t: &Test,
    api: &Api,
    id: &str,
    budget: Budget,
) -> Result<(), Failure> {
    let look = async || match api.get::<E>(id).await {
        Ok(execution) => match execution.phase() {
            ExecutionPhase::ExecutionCompleted => Probe::Done(()),
            phase @ (ExecutionPhase::ExecutionFailed | ExecutionPhase::ExecutionCancelled) => {
                Probe::Hopeless(format!("{phase:?}: {}", execution.error()))
            }
            phase => Probe::NotYet(format!("{phase:?}")),
        },
        Err(error) => Probe::NotYet(error.to_string()),
    };
    t.eventually(format!("{id} is COMPLETED"), budget, look)
        .await?;
    Ok(())
}

/// Waits until the daemon says something that fits.
async fn until(
    t: &Test,
    daemon: &Daemon,
    what: &str,
    fits: impl Fn(&DaemonReport) -> bool,
) -> Result<DaemonReport, Failure> {
    let look = async || match daemon.status().await {
        Ok(report) if fits(&report) => Probe::Done(report),
        Ok(report) => Probe::NotYet(summary(&report)),
        Err(error) => Probe::NotYet(error.to_string()),
    };
    Ok(t.eventually(what, BACK, look).await?)
}

/// Waits until `part` runs as another process than `before`.
async fn until_back(
    t: &Test,
    daemon: &Daemon,
    part: &str,
    before: u32,
) -> Result<DaemonReport, Failure> {
    let report = until(t, daemon, &format!("{part} is back"), |report| {
        let row = report.part(part);
        row.is_ok_and(|row| row.state == "running" && row.pid != Some(before))
    })
    .await?;
    true_status(t, daemon).await?;
    Ok(report)
}

fn summary(report: &DaemonReport) -> String {
    let part = |row: &stigmer_e2e::harness::DaemonPart| {
        format!(
            "{} {} {:?} ({})",
            row.part, row.state, row.pid, row.restarts
        )
    };
    let parts: Vec<_> = report.parts.iter().map(part).collect();
    format!("{}: {}", report.state, parts.join(", "))
}

/// A status that says what the process table says, part by part: a running part is a live process of
/// the right program that is not frozen, and no process of the stack is missing. The table is looked
/// at before and after, so that a change in between is no difference.
async fn true_status(t: &Test, daemon: &Daemon) -> Result<DaemonReport, Failure> {
    let table = || {
        let processes = daemon.processes().into_iter();
        let with_state = processes.map(|process| (process.identity.is_frozen(), process));
        with_state
            .filter(|(_, process)| process.arguments.is_empty())
            .collect::<Vec<_>>()
    };
    let look = async || {
        let before = table();
        let report = match daemon.status().await {
            Ok(report) => report,
            Err(error) => return Probe::Hopeless(error.to_string()),
        };
        if table() != before {
            return Probe::NotYet("the process table changed meanwhile".to_owned());
        }
        match agrees(&report, &before) {
            Ok(()) => Probe::Done(report),
            Err(broken) => Probe::Hopeless(broken.to_string()),
        }
    };
    Ok(
        t.eventually("status agrees with the process table", BACK, look)
            .await?,
    )
}

fn agrees(report: &DaemonReport, table: &[(bool, HomeProcess)]) -> Result<(), Broken> {
    for (part, program) in PARTS {
        let row = report.part(part)?;
        let of_program: Vec<_> = table
            .iter()
            .filter(|(_, process)| process.program == program)
            .collect();
        let pids: Vec<_> = of_program
            .iter()
            .map(|(_, process)| process.identity.pid)
            .collect();
        assert!(pids.len() <= 1, "{program} runs {} times", pids.len());
        ensure!(
            row.pid == pids.first().copied(),
            "status says {row:?}, the process table has {of_program:?}"
        );
        let works = of_program.iter().any(|(frozen, _)| !frozen);
        let allowed: &[&str] = match works {
            // It may be new, or be about to be replaced.
            true => &["running", "starting", "restarting", "unhealthy"],
            false => &["restarting", "unhealthy", "failed"],
        };
        ensure!(
            allowed.contains(&row.state.as_str()),
            "status says {row:?}, the process table has {of_program:?}"
        );
    }
    Ok(())
}
