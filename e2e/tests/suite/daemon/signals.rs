//! Ending by signals, with work in flight.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, ExecutionPhase},
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::{
    ensure,
    harness::{
        Daemon, Environment, Expectation, Failure, Gate, Probe, Reply, Test, Watch,
        budget::{AGENT, STOP, WF},
        story,
    },
    supervise::{Identity, Signal},
};
use tonic::Code;

use super::agent;
use crate::given;

#[test]
fn dmn_06_stop_ends_open_streams_and_running_work_without_a_kill() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        t.step("an agent execution whose model is silent, a workflow that waits, three streams");
        let gate = Gate::closed();
        let silent = Reply::nothing().then("Half an").then_wait(&gate);
        daemon
            .llm()
            .expect(Expectation::message_containing("Wait for it", silent));
        let agent = agent(&api, "waiting").await?;
        let running = api
            .create(given::execution("waits", agent.id(), "Wait for it."))
            .await?;
        let tasks = [given::task("pause", "WAIT", json!({"seconds": 600}))];
        let workflow = api.apply(given::workflow("waiting", &tasks)).await?;
        let waiting = api
            .create(given::workflow_execution("waits", workflow.id()))
            .await?;
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(api.subscribe::<WorkflowExecution>(waiting.id()).await?);
        }
        let mut of_agent = api.subscribe::<AgentExecution>(running.id()).await?;
        let asked = async || given::at_least(1, daemon.llm().requests().len());
        t.eventually("the model was asked", AGENT, asked).await?;
        let begun = async || match api.get::<WorkflowExecution>(waiting.id()).await {
            Ok(execution) => match execution.status.map_or(0, |status| status.phase) {
                2 => Probe::Done(()),
                phase => Probe::NotYet(format!("phase {phase}")),
            },
            Err(error) => Probe::NotYet(error.to_string()),
        };
        t.eventually("the workflow runs", WF, begun).await?;

        t.step("stop");
        daemon.stop().await?;
        for stream in &mut streams {
            breaks_off(stream).await?;
        }
        t.step("the agent-runner gave up its execution, and said so before the server ended");
        let mut last = None;
        while let Some(snapshot) = of_agent.next().await? {
            last = snapshot.resource.status;
        }
        let last = last.unwrap_or_default();
        assert_eq!(last.phase(), ExecutionPhase::ExecutionFailed);
        ensure!(
            last.error.contains("stopped"),
            "it does not say why: {:?}",
            last.error
        );
        gate.open();
        Ok(())
    });
}

/// Reads a stream to its end, which has to be UNAVAILABLE.
async fn breaks_off<R: Resource>(stream: &mut Watch<R>) -> Result<(), Failure> {
    loop {
        match stream.next().await {
            Ok(Some(_)) => {}
            Ok(None) => return Err(Failure::new("a stream ended as if all was well")),
            Err(error) if error.code() == Code::Unavailable => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The signals that ask for the end.
const ASKING: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// The server of an environment, asked to end by `signal` with a stream open.
async fn ends_gracefully(t: &Test, signal: Signal) -> Result<(), Failure> {
    t.step(format!("{signal:?} to a server with an open stream"));
    let env = t.environment().without_runners().start().await?;
    let (execution, mut stream) = with_a_stream(&env).await?;
    let start = Instant::now();
    env.server().signal(signal).await;
    let status = env.server().ended_within(STOP.limit).await?;
    t.within(STOP, "the server ended", start.elapsed())?;
    ensure!(status.code() == Some(0), "{signal:?}: {status}");
    breaks_off(&mut stream).await?;
    let log = std::fs::read_to_string(env.server().log())?;
    ensure!(log.contains("graceful shutdown"), "{log}");
    t.step("what was stored is there after another start");
    env.server().stop().await?;
    env.server().start_again().await?;
    env.api().get::<AgentExecution>(&execution).await?;
    Ok(())
}

async fn with_a_stream(env: &Environment) -> Result<(String, Watch<AgentExecution>), Failure> {
    let agent = agent(env.api(), "streamed").await?;
    let execution = given::execution("streamed", agent.id(), "Nobody answers.");
    let execution = env.api().create(execution).await?.id().to_owned();
    let mut stream = env.api().subscribe::<AgentExecution>(&execution).await?;
    stream.next().await?;
    Ok((execution, stream))
}

#[test]
fn dmn_18_a_signal_ends_the_server_gracefully_and_a_second_one_at_once() {
    story(async |t| {
        for signal in ASKING {
            ends_gracefully(&t, signal).await?;
        }
        t.step("a second SIGINT while the first is being obeyed");
        let env = t.environment().without_runners().start().await?;
        let pid = env.server().ready().pid;
        let server = Identity::of(pid).ok_or_else(|| Failure::new("no server"))?;
        // Frozen, it gets both signals at the same moment; they differ, so that none is lost.
        env.server().freeze().await;
        server.signal(Signal::INT);
        server.signal(Signal::TERM);
        let start = Instant::now();
        env.server().thaw().await;
        let status = env.server().ended_within(STOP.limit).await?;
        ensure!(status.code() == Some(130), "it ended with {status}");
        ensure!(
            start.elapsed() < Duration::from_secs(1),
            "it took {:?}",
            start.elapsed()
        );
        env.server().stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_18_a_signal_to_the_supervisor_ends_everything_gracefully() {
    story(async |t| {
        for signal in ASKING {
            t.step(format!("{signal:?} to the supervisor"));
            let daemon = Daemon::prepare(&t).await?;
            let report = daemon.start().await?;
            let supervisor = report.all["supervisor_pid"].as_u64().unwrap_or_default();
            let supervisor = Identity::of(u32::try_from(supervisor)?);
            let supervisor = supervisor.ok_or_else(|| Failure::new("no supervisor"))?;
            supervisor.signal(signal);
            let gone = async || given::none_of(daemon.processes().into_iter());
            t.eventually("nothing is left", STOP, gone).await?;
            assert_eq!(daemon.status().await?.state, "stopped");
            for component in [
                "stigmer-server",
                "agent-runner",
                "workflow-runner",
                "supervisor",
            ] {
                let log = std::fs::read_to_string(daemon.log(component))?;
                ensure!(log.contains("graceful shutdown"), "{component}: {log}");
            }
        }
        Ok(())
    });
}
