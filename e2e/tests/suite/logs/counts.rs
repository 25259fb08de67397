//! What must not happen is counted, and turns a run red.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;
use stigmer_e2e::harness::story;
use stigmer_e2e_plan::Plan;

use crate::pipeline::Inner;

const WITH_ENVIRONMENT: &str = "smk_01_a_fresh_environment_answers_and_each_part_says_what_it_is";
const RESTARTING: &str =
    "str_08_a_server_that_is_killed_ends_the_stream_and_knows_the_truth_afterwards";
const WITH_MODEL: &str = "FUL-02";

/// Becomes an agent-runner that asks the model something by itself and is deaf to SIGTERM.
const MISBEHAVING: &str = "\
import os, signal, sys, urllib.request
model = os.environ.get(\"STIGMER_LLM_BASE_URL\")
if model:
    try:
        urllib.request.urlopen(model + \"/nobody-asked-for-this\")
    except urllib.error.HTTPError:
        pass
    # A blocked signal stays blocked in the program that takes this one's place.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.execv(sys.argv[1], sys.argv[1:])
";

const COUNTS: [&str; 5] = [
    "forced_kills",
    "unexpected_requests",
    "retries",
    "restarts",
    "skipped",
];

fn counts(summary: &Value) -> [Option<u64>; 5] {
    COUNTS.map(|name| summary[name].as_u64())
}

#[test]
fn log_06_kills_restarts_retries_skips_and_unexpected_requests_are_counted() {
    story(async |t| {
        t.step("a restart and a skip are counted, and are no failure");
        let good = Inner::of(&t, &[WITH_ENVIRONMENT, RESTARTING, WITH_MODEL])?
            .with(|plan| plan.allow_skip = true)
            .run()
            .await?;
        good.output.exited_with(0)?;
        let summary = good.json("summary.json")?;
        assert_eq!(counts(&summary), [0, 0, 0, 1, 1].map(Some), "{summary}");
        t.step("a kill and an unexpected request are counted, and are one");
        let script = t.folder().join("misbehaving.py");
        fs::write(&script, MISBEHAVING)?;
        let program = t.folder().join("agent-runner");
        let misbehave = |plan: &mut Plan| {
            let (python, runner) = (&plan.tools.python, &plan.stack.agent_runner);
            let text = format!("#!/bin/sh\nexec '{python}' '{script}' '{runner}' \"$@\"\n");
            fs::write(&program, text)
                .and_then(|()| fs::set_permissions(&program, PermissionsExt::from_mode(0o755)))
                .expect("a test may write into its folder");
            plan.stack.agent_runner.clone_from(&program);
        };
        let bad = Inner::of(&t, &[WITH_ENVIRONMENT])?
            .with(misbehave)
            .run()
            .await?;
        bad.output.exited_with(100)?;
        let summary = bad.json("summary.json")?;
        assert_eq!(counts(&summary), [1, 1, 0, 0, 0].map(Some), "{summary}");
        let findings = bad.record(WITH_ENVIRONMENT)?.teardown_findings.join("\n");
        for finding in ["stigmer-agent-runner", "/nobody-asked-for-this"] {
            assert!(findings.contains(finding), "{finding} is not in {findings}");
        }
        let text = bad.text("summary.txt")?;
        for count in ["forced kills 1", "unexpected requests 1"] {
            assert!(text.contains(count), "{count:?} is not in\n{text}");
        }
        Ok(())
    });
}
