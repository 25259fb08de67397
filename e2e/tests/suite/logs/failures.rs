//! What is kept of a test that fails: everything one would ask for.

use camino::Utf8Path;
use serde_json::Value;
use stigmer_e2e::harness::{Broken, Verdict, story};

use crate::specimen::{self, WORDS};

/// The whole text of every file of `folder` whose name ends in `suffix`.
fn texts(folder: &Utf8Path, suffix: &str) -> std::io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.as_str().ends_with(suffix) {
            texts.push(std::fs::read_to_string(path)?);
        }
    }
    Ok(texts)
}

/// Seconds, stream, and text of a line of a transcript.
fn timed(line: &str) -> Option<(f64, &str, &str)> {
    let (head, text) = line.split_once(" | ")?;
    let (seconds, stream) = head.trim().split_once(' ')?;
    Some((seconds.parse().ok()?, stream, text))
}

#[test]
fn log_03_a_failure_comes_with_logs_transcripts_records_and_histories() {
    story(async |t| {
        let specimen::Failed {
            output,
            folder,
            record: test,
        } = specimen::fail(&t, "specimen_fails_after_a_run").await?;
        assert_eq!(test.verdict, Verdict::Failed);
        t.step("the report names the line of the story, the folder, and the way back");
        let failure = test
            .failure
            .ok_or_else(|| Broken("the record has no failure".into()))?;
        assert!(
            failure.location.contains("tests/suite/specimen.rs:"),
            "{}",
            failure.location
        );
        assert!(failure.message.contains(WORDS), "{}", failure.message);
        output
            .says(&failure.location)?
            .says(folder.as_str())?
            .says(&test.rerun)?;

        t.step("the end of each log");
        let logs = test
            .logs
            .iter()
            .map(|log| log.component.as_str())
            .collect::<Vec<_>>();
        assert_eq!(
            logs,
            [
                "stigmer-server",
                "stigmer-workflow-runner",
                "stigmer-agent-runner"
            ]
        );
        for log in &test.logs {
            let whole = std::fs::read_to_string(&log.path)?;
            let all = whole.lines().collect::<Vec<_>>();
            assert!(!all.is_empty(), "{} is empty", log.path);
            assert_eq!(log.lines, all[all.len().saturating_sub(200)..]);
        }

        t.step("of the shared Temporal's log what is about this test, and nothing else");
        let slice = std::fs::read_to_string(folder.join("shared/temporal.log"))?;
        let namespace = &test.environments[0].namespace;
        assert_eq!(slice, specimen::about(namespace) + "\n");

        t.step("both streams of a command in one transcript, with times");
        let transcripts = texts(&folder.join("cli"), ".txt")?;
        assert_eq!(transcripts.len(), 3);
        let refused = transcripts
            .iter()
            .find(|text| text.contains("unsupported runtime 'python'"))
            .ok_or_else(|| Broken("the last command has no transcript".into()))?;
        assert!(
            refused.starts_with("$ stigmer apply\n") && refused.trim_end().ends_with(']'),
            "{refused}"
        );
        let lines = refused.lines().filter_map(timed).collect::<Vec<_>>();
        assert!(
            lines.is_sorted_by_key(|(seconds, ..)| *seconds),
            "{refused}"
        );
        let said = |stream: &str, words: &str| {
            lines
                .iter()
                .position(|(_, of, text)| *of == stream && text.contains(words))
        };
        let (begun, failed) = (
            said("out", "Loading project configuration"),
            said("err", "unsupported runtime 'python'"),
        );
        assert!(begun.is_some() && begun < failed, "{refused}");

        t.step("what the model was asked and answered");
        let model = std::fs::read_to_string(folder.join("llm.jsonl"))?;
        assert!(
            model.contains("A question before the failure.")
                && model.contains("\"chunk\":\"answer \""),
            "{model}"
        );

        t.step("what the hub was asked and answered");
        let hub = std::fs::read_to_string(folder.join("hub.jsonl"))?;
        assert!(
            hub.contains("/before-the-failure") && hub.contains("An answer of the hub."),
            "{hub}"
        );

        t.step("every call, the records, and the history of the execution");
        assert!(
            std::fs::read_to_string(folder.join("grpc.jsonl"))?
                .contains("AgentQueryController/get")
        );
        let records: Value =
            serde_json::from_slice(&std::fs::read(folder.join("env-1/records.json"))?)?;
        let execution = &records["agent_execution"][0];
        assert_eq!(execution["status"]["phase"], "EXECUTION_COMPLETED");
        assert!(folder.join("env-1/data/stigmer.db").is_file());
        let histories = texts(&folder.join("temporal"), ".json")?;
        let id = execution["metadata"]["id"].as_str().unwrap_or("no id");
        assert!(
            histories
                .iter()
                .any(|history| history.contains(id) && history.contains("events")),
            "no history of {id}"
        );
        Ok(())
    });
}

#[test]
fn log_04_a_time_out_says_what_was_awaited_and_all_that_was_seen() {
    story(async |t| {
        let test = specimen::fail(&t, "specimen_waits_in_vain").await?.record;
        let message = test
            .failure
            .map(|failure| failure.message)
            .unwrap_or_default();
        for part in [
            "timed out after 1",
            "waiting until the execution is COMPLETED",
            "last value: ExecutionInProgress",
            "s  ExecutionInProgress",
            "pollers of agent_execution_stigmer (Workflow tasks): ",
            "pollers of agent_execution_runner (Activity tasks): ",
            "pollers of zigflow_execution (Workflow tasks): ",
            "stigmer-server: ",
            "stigmer-workflow-runner: ",
            "stigmer-agent-runner: ",
        ] {
            assert!(message.contains(part), "{part:?} is missing in:\n{message}");
        }
        assert!(
            !message.contains("nobody"),
            "a live queue is said to have no poller:\n{message}"
        );
        assert!(
            test.budgets
                .iter()
                .any(|budget| budget.name == "BRIEFLY" && budget.percent >= 100.0),
            "{:?}",
            test.budgets
        );
        Ok(())
    });
}
