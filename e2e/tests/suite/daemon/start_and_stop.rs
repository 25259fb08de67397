//! Starting, stopping, and doing either twice.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use camino::Utf8Path;
use stigmer_e2e::{
    ensure,
    harness::{
        Daemon, Probe,
        budget::{START, STOP},
        listening_ports, story,
    },
    supervise::Signal,
};

use super::{PARTS, agent, agent_completes, true_status, workflow_completes};
use crate::given;

/// A program for `daemon` that does as told.
fn script(daemon: &Daemon, name: &str, text: &str) -> std::io::Result<String> {
    let path = daemon.home().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path.into_string())
}

#[test]
fn dmn_01_a_daemon_is_running_after_start_and_stopped_after_stop() {
    story(async |t| {
        let daemon = Daemon::with_own_temporal(&t).await?;
        daemon.start().await?;
        let report = true_status(&t, &daemon).await?;
        assert_eq!(report.state, "running");
        let pid = report.pid("stigmer-server")?;
        assert_eq!(
            fs::read_to_string(daemon.folder().join("data/daemon.pid"))?,
            pid.to_string()
        );
        let port = report.address()?.rsplit_once(':').map(|(_, port)| port);
        let port = port.unwrap_or_default().to_owned();

        t.step("the same for people");
        let text = daemon.cli().args(["server", "status"]).run().await?;
        text.exited_with(0)?
            .says("Stigmer Server:")?
            .says_at_line_end("Status:   Running ✓")?
            .says_at_line_end(&format!("PID:      {pid}"))?
            .says_at_line_end(&format!("Port:   {port}"))?;
        daemon
            .api(report.address()?)
            .agent_executions(Default::default())
            .await?;

        t.step("stop");
        daemon.stop().await?.says("Server stopped successfully")?;
        let report = daemon.status().await?;
        assert_eq!((report.state.as_str(), report.parts.len()), ("stopped", 0));
        let text = daemon.cli().args(["server", "status"]).run().await?;
        text.exited_with(3)?
            .says_at_line_end("Status: ✗ Stopped")?
            .does_not_say("Running")?;
        for (part, _) in PARTS {
            let log = fs::read_to_string(daemon.log(part))?;
            ensure!(
                log.contains("graceful shutdown"),
                "{part} was not asked to end:\n{log}"
            );
        }
        Ok(())
    });
}

#[test]
fn dmn_02_start_returns_only_when_the_stack_does_work() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        t.step("a server and a runner that take their time");
        let delay = Duration::from_millis(1500);
        let slow = |name: &str, program: &Utf8Path| {
            script(
                &daemon,
                name,
                &format!("sleep {}\nexec {program}", delay.as_secs_f64()),
            )
        };
        let stack = &t.session().stack;
        let server = slow("slow-server", &stack.server)?;
        let runner = slow("slow-runner", &stack.agent_runner)?;
        let daemon = daemon
            .setting("STIGMER_SERVER_BIN", server)
            .setting("STIGMER_AGENT_RUNNER_BIN", runner);
        let start = daemon.try_start().await?;
        start.exited_with(0)?;
        ensure!(
            start.duration > 2 * delay,
            "it returned after {:?}",
            start.duration
        );

        t.step("the first call to each queue, without a wait");
        let report = daemon.status().await?;
        let api = daemon.api(report.address()?);
        let agent = agent(&api, "first").await?;
        agent_completes(&t, &api, &agent).await?;
        workflow_completes(&t, &api, "first").await?;
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_03_a_second_start_replaces_the_first_daemon() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        daemon.start().await?;
        let before = daemon.processes();
        let again = daemon.try_start().await?;
        again.exited_with(0)?;
        assert_eq!(again.stderr, "");
        let after = daemon.processes();
        for old in &before {
            ensure!(!old.identity.is_alive(), "still there: {old:?}");
        }
        for (_, program) in PARTS {
            let count = after
                .iter()
                .filter(|process| process.program == program)
                .count();
            assert_eq!(count, 1, "{program}: {after:#?}");
        }
        true_status(&t, &daemon).await?;
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_04_a_second_stop_says_that_nothing_runs() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        daemon.stop().await?.says("Server is not running")?;
        daemon.start().await?;
        daemon.stop().await?.does_not_say("not running")?;
        daemon
            .stop()
            .await?
            .says("Server is not running")?
            .does_not_say("Stopping")?;
        Ok(())
    });
}

#[test]
fn dmn_05_stop_leaves_nothing_of_the_whole_stack() {
    story(async |t| {
        let daemon = Daemon::with_own_temporal(&t).await?;
        let report = daemon.start().await?;
        let processes = daemon.processes();
        for program in PARTS
            .map(|(_, program)| program)
            .into_iter()
            .chain(["temporal", "stigmer"])
        {
            let there = processes.iter().any(|process| process.program == program);
            ensure!(there, "{program} does not run: {processes:#?}");
        }
        let ports = listening_ports(&processes);
        ensure!(
            ports.len() >= 3,
            "API, Temporal, and its web pages listen on {ports:?} only"
        );
        let api = daemon.api(report.address()?);
        agent_completes(&t, &api, &agent(&api, "before-the-end").await?).await?;
        // Looks for every process and every port of this HOME.
        daemon.stop().await?;
        for file in [
            "data/daemon.pid",
            "data/workflow-runner.pid",
            "data/agent-runner.pid",
            "temporal.pid",
        ] {
            ensure!(!daemon.folder().join(file).exists(), "{file} is left");
        }
        Ok(())
    });
}

#[test]
fn dmn_05_a_start_that_is_given_up_leaves_nothing() {
    story(async |t| {
        for signal in [Signal::INT, Signal::KILL] {
            t.step(format!("{signal:?} to a start that waits for its server"));
            let daemon = Daemon::with_own_temporal(&t).await?;
            let server = script(&daemon, "silent-server", "exec sleep 600")?;
            let daemon = daemon.setting("STIGMER_SERVER_BIN", server);
            let start = daemon
                .cli()
                .args(["server", "start"])
                .within(START.limit)
                .spawn()?;
            let waits = async || {
                let found = daemon.processes();
                match found.iter().any(|process| process.program == "sleep") {
                    true => Probe::Done(()),
                    false => Probe::NotYet(format!("{found:?}")),
                }
            };
            t.eventually("the server is started", START, waits).await?;
            // The record of a start is written a moment after its process has begun.
            let starting = async || match daemon.status().await {
                Ok(status) if status.state == "starting" => Probe::Done(status),
                other => Probe::NotYet(format!("{other:?}")),
            };
            let status = t.eventually("it says that it is starting", START, starting);
            assert_eq!(status.await?.part("stigmer-server")?.state, "starting");
            start.signal(signal);
            start.finish().await?;
            let gone = async || given::none_of(daemon.processes().into_iter());
            t.eventually("nothing is left", STOP, gone).await?;
            assert_eq!(daemon.status().await?.state, "stopped");
        }
        Ok(())
    });
}
