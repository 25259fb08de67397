//! The tables of what was covered come from what ran.

use serde_json::{Value, json};
use stigmer_e2e::harness::story;

use crate::pipeline::Inner;

const FORKING: &str = "fix_11b_lengths_and_the_time_can_be_computed_from_what_was_merged";
const WORDS: &str = "smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";
const GET: &str = "/ai.stigmer.agentic.workflowexecution.v1.WorkflowExecutionQueryController/get";

#[test]
fn log_10_tables_of_fixtures_tasks_methods_and_commands_say_what_ran_and_nothing_else() {
    story(async |t| {
        let run = Inner::of(&t, &[FORKING, WORDS])?.run().await?;
        run.output.exited_with(0)?;
        let coverage = run.json("coverage.json")?;
        t.step("fixture by phase");
        let fixtures = coverage["fixtures"].as_array().cloned().unwrap_or_default();
        let came_through = fixtures.iter().flat_map(|row| {
            let stages = row["stages"].as_object().into_iter().flatten();
            let used = stages.filter(|(_, tests)| **tests != json!([]));
            used.map(|(stage, tests)| (row["id"].as_str(), stage.as_str(), &tests[0]["verdict"]))
        });
        assert_eq!(
            came_through.collect::<Vec<_>>(),
            [
                (Some("11"), "apply", &json!("passed")),
                (Some("11"), "run", &json!("passed")),
            ]
        );
        t.step("kind of task by how it ended");
        let used = &coverage["used"];
        assert!(
            used["tasks"]["FORK"]["COMPLETED"].as_u64() >= Some(1),
            "{used}"
        );
        assert_eq!(used["tasks"]["LISTEN"], json!({}));
        t.step("method by status: as often as the tests called it");
        let calls = run.text(&format!("tests/{FORKING}/grpc.jsonl"))?;
        let calls = calls.lines().map(serde_json::from_str::<Value>);
        let calls = calls.collect::<Result<Vec<_>, _>>()?;
        let gets = calls.iter().filter(|call| call["method"] == GET).count();
        let counted = used["methods"][GET].as_object();
        let counted = counted
            .into_iter()
            .flatten()
            .filter_map(|(_, n)| n.as_u64());
        assert_eq!(
            (gets > 0, counted.sum::<u64>()),
            (true, gets as u64),
            "{used}"
        );
        t.step("command by exit code");
        let commands = used["commands"].as_object().cloned().unwrap_or_default();
        let mut applied = [0, 0];
        for function in [FORKING, WORDS] {
            let folder = run.results.join("tests").join(function).join("cli");
            for transcript in folder.read_dir_utf8()? {
                let text = std::fs::read_to_string(transcript?.path())?;
                if text.starts_with("$ stigmer apply") {
                    applied[usize::from(!text.contains("[exit status: 0 "))] += 1;
                }
            }
        }
        let [good, bad] = applied;
        assert!(good > 0 && bad > 0, "the test is wrong: {applied:?}");
        assert_eq!(
            commands["stigmer apply"],
            json!({"exit status: 0": good, "exit status: 1": bad})
        );
        t.step("the same for people");
        let text = run.text("coverage.md")?;
        for line in [
            &format!("| `stigmer apply` | exit status: 0 ({good}), exit status: 1 ({bad}) |"),
            "| `LISTEN` | – |",
            "# Methods called by tests",
        ] {
            let is_there = text.lines().any(|it| it == line);
            assert!(is_there, "{line:?} is not in {}/coverage.md", run.results);
        }
        Ok(())
    });
}
