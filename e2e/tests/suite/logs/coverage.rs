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
        let stages = |id: &str| {
            let row = fixtures.iter().find(|row| row["id"] == id);
            let stages = row.and_then(|row| row["stages"].as_object());
            let tests = stages.into_iter().flatten();
            tests
                .filter(|(_, tests)| tests.as_array().is_some_and(|tests| !tests.is_empty()))
                .count()
        };
        assert_eq!((stages("11"), stages("01")), (3, 0), "{fixtures:?}");
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
        let endings: Vec<_> = commands.values().filter_map(Value::as_object).collect();
        assert_eq!(commands["stigmer apply"], json!({"exit status: 0": 1}));
        assert!(
            endings.iter().any(|it| it.contains_key("exit status: 1")),
            "{commands:?}"
        );
        t.step("the same for people");
        let text = run.text("coverage.md")?;
        for line in [
            "| `stigmer apply` | exit status: 0 (1) |",
            "| `LISTEN` | – |",
            "# Methods called by tests",
        ] {
            assert!(
                text.lines().any(|it| it == line),
                "{line:?} is not in\n{text}"
            );
        }
        Ok(())
    });
}
