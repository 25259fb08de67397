//! What belongs to whoever works on the machine is out of bounds.

use std::{fs, net::TcpListener, process::Command};

use serde_json::Value;
use stigmer_e2e::{
    harness::{Broken, Probe, TEST_VARIABLE, story},
    supervise::{RUN_VARIABLE, free_port},
};
use stigmer_e2e_plan::DEFAULT_PORTS;

use super::killed::GONE;
use crate::pipeline::Inner;

/// A test that uses no port of its own.
const TEST: &str = "smoke::command_line::smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";

#[test]
fn iso_01_a_port_that_is_not_the_runs_fails_the_test_whose_process_used_it() {
    story(async |t| {
        let (free, taken) = (free_port()?, TcpListener::bind("127.0.0.1:0")?);
        let taken = taken.local_addr()?.port();
        let _holder = TcpListener::bind(("127.0.0.1", taken));
        let name = TEST.rsplit("::").next().unwrap_or_default();
        let inner = Inner::of(&t, &[name])?.with(|plan| plan.forbidden_ports = vec![free, taken]);
        let (running, pending) = inner.spawn()?;
        let set = t.eventually("the tripwires are set", GONE, async || {
            match pending.event("tripwires-set") {
                Some(event) => Probe::Done(event),
                None => Probe::NotYet("no such event".to_owned()),
            }
        });
        let set = set.await?;
        assert_eq!(set["ports"][0]["taken_by"], Value::Null);
        assert!(set["ports"][1]["taken_by"].is_string(), "{set}");
        t.step("a process of the test connects to a port that is not the run's");
        let mut culprit = Command::new("bash")
            .args(["-c", &format!("exec 3<>/dev/tcp/127.0.0.1/{free}; cat <&3")])
            .env(RUN_VARIABLE, pending.run_id())
            .env(TEST_VARIABLE, TEST)
            .spawn()?;
        culprit.wait()?;
        let run = pending.ended(running).await?;
        run.output.exited_with(100)?;
        let findings = run.record(name)?.teardown_findings;
        let told = format!("process {} (bash -c ", culprit.id());
        let port = format!("connected to port {free} ");
        assert!(
            findings.len() == 1 && findings[0].starts_with(&told) && findings[0].contains(&port),
            "{findings:?}"
        );
        Ok(())
    });
}

#[test]
fn iso_01_the_default_ports_are_watched_and_no_home_is_found_by_accident() {
    story(async |t| {
        // Only a run of the pipeline has tripwires.
        Inner::of(&t, &[])?;
        t.step("every default port is watched, or somebody else has it");
        let events = fs::read_to_string(t.session().results.join("events.jsonl"))?;
        let mut events = events
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let set = events.find(|event| event["event"] == "tripwires-set");
        let set = set.ok_or_else(|| Broken("no tripwires were set".to_owned()))?;
        let ports = set["ports"].as_array().into_iter().flatten();
        let ports = ports.filter_map(|port| port["port"].as_u64());
        assert!(ports.eq(DEFAULT_PORTS.map(u64::from)), "{set}");
        t.step("a process that was given no HOME of its own cannot use ~/.stigmer");
        let made = Command::new("sh")
            .args(["-c", "mkdir -p ~/.stigmer/data"])
            .output()?;
        let why = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(!made.status.success() && why.contains(".stigmer"), "{why}");
        Ok(())
    });
}

#[test]
fn iso_01_a_test_that_uses_the_home_that_nobody_may_use_fails() {
    story(async |t| {
        let specimen = "specimen_uses_the_home_of_the_run";
        let run = Inner::of(&t, &[specimen])?.run().await?;
        run.output.exited_with(100)?;
        assert_eq!(run.last_line(), "0 passed, 1 failed, 0 skipped");
        let record = run.record(specimen)?;
        assert!(record.failure.is_none(), "{:?}", record.failure);
        let aside = run.results.join("tripwire-home/stigmer-1");
        assert!(aside.join("data").is_dir(), "{aside} is not kept");
        assert_eq!(
            record.teardown_findings,
            [format!(
                "~/.stigmer of the HOME that nobody may use was changed meanwhile: {aside}"
            )]
        );
        Ok(())
    });
}
