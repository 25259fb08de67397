//! Parts that are killed, frozen, or dead without anybody noticing.

use serde_json::json;
use stigmer_api::{Resource as _, agent::Agent, workflow_execution::WorkflowExecution};
use stigmer_e2e::{
    ensure,
    harness::{
        Daemon, Failure, Probe, Test,
        budget::{STOP, WF},
        story,
    },
    supervise::{Identity, Signal},
};

use super::{
    BACK, agent, agent_completes, completes, true_status, until, until_back, workflow_completes,
};
use crate::given;

fn signal(pid: u32, signal: Signal) -> Result<(), Failure> {
    let there = Identity::of(pid).is_some_and(|process| process.signal(signal));
    match there {
        true => Ok(()),
        false => Err(Failure::new(format!("process {pid} is not there"))),
    }
}

#[test]
fn dmn_07_after_a_killed_server_the_next_start_has_the_earlier_agents() {
    story(async |t| {
        let daemon = Daemon::with_own_temporal(&t).await?;
        let report = daemon.start().await?;
        let address = report.address()?.to_owned();
        let api = daemon.api(&address);
        let agent = agent(&api, "survivor").await?;

        t.step("kill -9 the server: it comes back on the same port");
        let pid = report.pid("stigmer-server")?;
        signal(pid, Signal::KILL)?;
        let report = until_back(&t, &daemon, "stigmer-server", pid).await?;
        assert_eq!(report.address()?, address);
        let row = report.part("stigmer-server")?;
        assert_eq!(row.restarts, 1);
        let told = row.last_failure.as_deref().unwrap_or_default();
        ensure!(told.contains("signal: 9"), "it does not say why: {told:?}");
        assert_eq!(api.get::<Agent>(agent.id()).await?.id(), agent.id());

        t.step("kill -9 the server and what supervises it, as a crash of everything");
        let before = daemon.processes();
        let supervisor = before.iter().find(|process| process.program == "stigmer");
        let supervisor = supervisor
            .ok_or_else(|| Failure::new("no supervisor"))?
            .identity;
        signal(report.pid("stigmer-server")?, Signal::KILL)?;
        supervisor.signal(Signal::KILL);
        let gone = async || given::none_of(daemon.processes().into_iter());
        t.eventually("its children are gone", STOP, gone).await?;
        assert_eq!(daemon.status().await?.state, "stopped");

        t.step("start again");
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        let stored: Agent = api.get(agent.id()).await?;
        assert_eq!(stored, agent);
        agent_completes(&t, &api, &stored).await?;
        true_status(&t, &daemon).await?;
        daemon.stop().await?;
        Ok(())
    });
}

/// Kills and freezes `part`; each time it has to be noticed, told, and mended.
async fn mended(t: &Test, daemon: &Daemon, part: &str, pid: u32) -> Result<(), Failure> {
    t.step(format!("kill -9 {part}"));
    signal(pid, Signal::KILL)?;
    true_status(t, daemon).await?;
    let report = until_back(t, daemon, part, pid).await?;
    assert_eq!(report.part(part)?.restarts, 1);

    t.step(format!("freeze {part}: it is not called running any more"));
    let pid = report.pid(part)?;
    signal(pid, Signal::STOP)?;
    let report = until(
        t,
        daemon,
        &format!("{part} is not called running"),
        |report| report.part(part).is_ok_and(|row| row.state != "running"),
    )
    .await?;
    assert_ne!(report.state, "stopped");
    true_status(t, daemon).await?;
    let report = until_back(t, daemon, part, pid).await?;
    let row = report.part(part)?;
    assert_eq!(row.restarts, 2);
    let told = row.last_failure.as_deref().unwrap_or_default();
    ensure!(
        told.contains("frozen"),
        "the supervisor did not notice the freeze: {told:?}"
    );
    Ok(())
}

/// The same while `work` is begun at the moment of the kill, which has to be done in the end.
async fn mended_under_work(
    t: &Test,
    daemon: &Daemon,
    part: &str,
    pid: u32,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let begun = async {
        let killed = async || match Identity::of(pid) {
            Some(_) => Probe::NotYet("it runs".to_owned()),
            None => Probe::Done(()),
        };
        t.eventually(format!("{part} is killed"), BACK, killed)
            .await?;
        work.await
    };
    let (mended, done) = tokio::join!(mended(t, daemon, part, pid), begun);
    mended.and(done)
}

#[test]
fn dmn_10_a_workflow_runner_that_is_killed_or_frozen_is_noticed_and_replaced() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        workflow_completes(&t, &api, "before").await?;
        let part = "workflow-runner";
        let workflow = given::workflow("meanwhile", &[given::set("greet", &json!({"a": "b"}))]);
        let workflow = api.apply(workflow).await?;
        let meanwhile = async {
            let execution = given::workflow_execution("meanwhile", workflow.id());
            let execution = api.create(execution).await?;
            completes::<WorkflowExecution>(&t, &api, execution.id(), WF).await
        };
        mended_under_work(&t, &daemon, part, report.pid(part)?, meanwhile).await?;
        workflow_completes(&t, &api, "after").await?;
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_11_an_agent_runner_that_is_killed_or_frozen_is_noticed_and_replaced() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        let agent = agent(&api, "patient").await?;
        let part = "agent-runner";
        let meanwhile = agent_completes(&t, &api, &agent);
        mended_under_work(&t, &daemon, part, report.pid(part)?, meanwhile).await?;
        agent_completes(&t, &api, &agent).await?;
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_12_a_zombie_is_reported_dead() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let report = daemon.start().await?;
        let supervisor = report.all["supervisor_pid"].as_u64().unwrap_or_default();
        let supervisor = u32::try_from(supervisor)?;
        t.step("freeze the supervisor, so that nobody reaps, and kill the runners");
        signal(supervisor, Signal::STOP)?;
        for part in ["workflow-runner", "agent-runner"] {
            let pid = report.pid(part)?;
            signal(pid, Signal::KILL)?;
            let zombie = async || match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
                Ok(stat) if stat.contains(") Z ") => Probe::Done(()),
                other => Probe::NotYet(format!("{other:?}")),
            };
            t.eventually(format!("{part} is a zombie"), STOP, zombie)
                .await?;
        }
        let report = true_status(&t, &daemon).await?;
        for part in ["workflow-runner", "agent-runner"] {
            let row = report.part(part)?;
            assert_eq!((row.state.as_str(), row.pid), ("failed", None));
        }
        assert_eq!(report.all["supervisor"]["frozen"], true);
        t.step("let the supervisor go on: it replaces both");
        signal(supervisor, Signal::CONT)?;
        until(&t, &daemon, "everything runs again", |report| {
            report.parts.iter().all(|row| row.state == "running")
        })
        .await?;
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_13_status_agrees_with_the_process_table_after_every_fault() {
    story(async |t| {
        let daemon = Daemon::with_own_temporal(&t).await?;
        let mut report = daemon.start().await?;
        t.step("each part in turn is killed");
        for part in [
            "agent-runner",
            "workflow-runner",
            "stigmer-server",
            "temporal",
        ] {
            let pid = report.pid(part)?;
            signal(pid, Signal::KILL)?;
            // At once, and whatever the supervisor has noticed by now.
            true_status(&t, &daemon).await?;
            report = until_back(&t, &daemon, part, pid).await?;
            let text = daemon.cli().args(["server", "status"]).run().await?;
            text.exited_with(0)?
                .says("Agent Runner:")?
                .says("Workflow Runner:")?;
        }
        t.step("a frozen server is no running server");
        let pid = report.pid("stigmer-server")?;
        signal(pid, Signal::STOP)?;
        let text = daemon.cli().args(["server", "status"]).run().await?;
        text.exited_with(1)?.says("The API does not answer")?;
        let report = until_back(&t, &daemon, "stigmer-server", pid).await?;
        let api = daemon.api(report.address()?);
        agent_completes(&t, &api, &agent(&api, "after-all-faults").await?).await?;
        daemon.stop().await?;
        daemon
            .cli()
            .args(["server", "status"])
            .run()
            .await?
            .exited_with(3)?;
        Ok(())
    });
}
