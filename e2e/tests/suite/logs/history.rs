//! What is remembered from run to run.

use serde_json::json;
use stigmer_e2e::harness::story;

use crate::pipeline::Inner;

const QUICK: &str = "smoke::command_line::smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";

#[test]
fn log_08_each_run_adds_its_times_and_a_test_slower_than_before_is_flagged() {
    story(async |t| {
        let history = t.folder().join("runs/history.jsonl");
        // A test cannot take less than a millisecond, nor as long as an hour.
        for (before, is_slow) in [(0, true), (3_600_000, false)] {
            t.step(format!("20 runs in which it took {before} ms"));
            let run = |number| {
                json!({"run_id": format!("before-{number}"), "started_at": "2026-01-01T00:00:00Z",
                       "jobs": 1, "tests": {QUICK: before}})
            };
            let lines = (0..20).map(|number| run(number).to_string() + "\n");
            std::fs::create_dir_all(t.folder().join("runs"))?;
            std::fs::write(&history, lines.collect::<String>())?;
            let run = Inner::of(&t, &[QUICK])?.run().await?;
            run.output.exited_with(0)?;
            let slower = &run.json("summary.json")?["slower"];
            let flagged = slower.as_array().map_or(0, Vec::len);
            assert_eq!(flagged, usize::from(is_slow), "{slower}");
            if is_slow {
                assert_eq!(
                    (&slower[0]["name"], &slower[0]["runs"]),
                    (&json!(QUICK), &json!(20))
                );
                run.output
                    .says("1 test more than 50 % slower than before")?;
            }
            t.step("the run itself is the last line");
            let text = std::fs::read_to_string(&history)?;
            let last: serde_json::Value =
                serde_json::from_str(text.lines().last().unwrap_or_default())?;
            assert_eq!(text.lines().count(), 21);
            assert_eq!(last["run_id"], run.json("run.json")?["run_id"]);
            let test = run.record(QUICK)?;
            assert!(
                last["tests"][QUICK].as_u64() >= test.ms,
                "{last} does not have what the test took: {:?}",
                test.ms
            );
        }
        Ok(())
    });
}
