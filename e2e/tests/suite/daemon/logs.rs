//! `stigmer server logs`, and what no log may hold.

use std::time::Duration;

use serde_json::Value;
use stigmer_e2e::{
    ensure,
    harness::{Broken, CliOutput, Daemon, Failure, budget::START, story},
};

use super::{agent, agent_completes};
use crate::specimen;

/// How soon a line has to be seen.
const SOON: Duration = Duration::from_secs(2);

/// The lines of `logs --output json`: component, time, text.
fn lines(output: &CliOutput) -> Result<Vec<(String, String, String)>, Broken> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let line = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(value) => Ok((
            text(&value, "component"),
            text(&value, "time"),
            text(&value, "line"),
        )),
        Err(error) => Err(Broken(format!("{line:?} is no JSON: {error}"))),
    };
    output.stdout.lines().map(line).collect()
}

#[test]
fn dmn_20_logs_shows_the_last_fifty_of_all_components_by_time() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        for n in 0..60 {
            agent(&api, &format!("agent-{n}")).await?;
        }
        let agent = agent(&api, "last").await?;
        agent_completes(&t, &api, &agent).await?;
        t.step("the last fifty lines of all of it");
        let shown = ["server", "logs", "--follow=false", "--output", "json"];
        let output = daemon.cli().args(shown).run().await?;
        output.exited_with(0)?;
        let lines = lines(&output)?;
        assert_eq!(lines.len(), 50);
        ensure!(
            lines.iter().map(|(_, time, _)| time).is_sorted(),
            "not by time: {lines:#?}"
        );

        t.step("all lines: every line of every log, once");
        let all = daemon.cli().args(shown).args(["--tail", "0"]).run().await?;
        let all = super::logs::lines(&all)?;
        for component in [
            "stigmer-server",
            "workflow-runner",
            "agent-runner",
            "supervisor",
        ] {
            let log = std::fs::read_to_string(daemon.log(component))?;
            let of_component = all.iter().filter(|(name, ..)| name == component);
            let texts: Vec<_> = of_component.map(|(_, _, text)| text.as_str()).collect();
            let wanted: Vec<_> = log.lines().collect();
            ensure!(
                wanted.starts_with(&texts) && !texts.is_empty(),
                "{component}: {texts:#?}"
            );
        }
        t.step("one component, and a wrong one");
        let one = [
            "server",
            "logs",
            "--follow=false",
            "-c",
            "agent-runner",
            "-n",
            "0",
        ];
        let one = daemon.cli().args(one).run().await?;
        one.exited_with(0)?
            .says("ready component=\"stigmer-agent-runner\"")?;
        let wrong = daemon
            .cli()
            .args(["server", "logs", "-c", "database"])
            .run()
            .await?;
        wrong.exited_with(1)?.says("Invalid component: database")?;
        assert_eq!(wrong.stdout, "");
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_20_logs_are_followed_across_a_restart() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let report = daemon.start().await?;
        let before = report.pid("stigmer-server")?;
        let following = daemon
            .cli()
            .args(["server", "logs", "-c", "stigmer-server", "-n", "0"]);
        let mut following = following.within(START.limit).spawn()?;
        following
            .wait_for_line("the head", |line| line.contains("Streaming logs from"))
            .await?;
        t.step("a call to the first server");
        let api = daemon.api(report.address()?);
        agent(&api, "seen-before").await?;
        let asked = std::time::Instant::now();
        following
            .wait_for_line("the call", |line| line.contains("/apply"))
            .await?;
        ensure!(asked.elapsed() < SOON, "seen after {:?}", asked.elapsed());
        t.step("restart");
        let report = daemon.start().await?;
        let ready = std::time::Instant::now();
        assert_ne!(report.pid("stigmer-server")?, before);
        let address = report.address()?.to_owned();
        let is_ready = |line: &str| {
            line.contains("ready component=\"stigmer-server\"") && line.contains(&address)
        };
        following
            .wait_for_line("the ready line of the second server", is_ready)
            .await?;
        ensure!(
            ready.elapsed() < SOON,
            "seen {:?} after the start",
            ready.elapsed()
        );
        t.step("the log of the first server was put aside, whole");
        let folder = daemon.folder().join("data/logs").read_dir_utf8()?.flatten();
        let aside: Vec<_> = folder
            .filter(|file| file.file_name().starts_with("stigmer-server.log."))
            .collect();
        assert_eq!(aside.len(), 1, "{aside:?}");
        let log = std::fs::read_to_string(aside[0].path())?;
        ensure!(log.contains("/apply") && log.ends_with('\n'), "{log}");
        following.interrupt();
        let ended = following.finish().await?;
        assert_eq!(ended.code, Some(130));
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_21_a_panic_in_the_log_of_a_component_fails_the_test() {
    story(async |t| {
        for (name, told) in [
            ("specimen_whose_runner_panicked", "panicked at"),
            (
                "specimen_whose_daemon_had_a_data_race",
                "WARNING: DATA RACE",
            ),
        ] {
            t.step(name);
            let failed = specimen::fail(&t, name).await?;
            let findings = &failed.record.teardown_findings;
            let found = findings.iter().any(|finding| finding.contains(told));
            ensure!(found, "teardown found {findings:?}");
            if failed.record.failure.is_some() {
                return Err(Failure::new("the story itself failed; the log should have"));
            }
        }
        Ok(())
    });
}
