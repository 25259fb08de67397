//! A test is run once: what would pass on a second try is red on the first.

use std::{fs, os::unix::fs::PermissionsExt};

use stigmer_e2e::harness::{Broken, story};

use crate::pipeline::Inner;

const QUICK: &str = "smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";

#[test]
fn flk_06_a_test_that_would_pass_on_a_second_try_is_red_and_told_to_be_flaky() {
    story(async |t| {
        let (program, marker) = (t.folder().join("flaky"), t.folder().join("was-called"));
        let cli = &t.session().stack.cli;
        // It does not work the first time that it is given a command, whoever gives it.
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in --version) ;; *) mkdir '{marker}' 2>/dev/null && exit 7 ;; esac\n\
             exec '{cli}' \"$@\"\n"
        );
        fs::write(&program, script)?;
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
        let mut runs = Vec::new();
        for _ in 0..2 {
            let run = Inner::of(&t, &[QUICK])?
                .with(|plan| plan.stack.cli.clone_from(&program))
                // Who wants retries does not get them either.
                .env("NEXTEST_RETRIES", "3")
                .run()
                .await?;
            let started = run.events()?;
            let started = started
                .iter()
                .filter(|event| event["event"] == "test-started");
            assert_eq!(started.count(), 1, "the test was run again");
            assert_eq!(run.json("summary.json")?["retries"], 0);
            runs.push(run);
        }
        t.step("the first run is red");
        runs[0].output.exited_with(100)?;
        assert_eq!(runs[0].last_line(), "0 passed, 1 failed, 0 skipped");
        t.step("the second is green: it would have passed on a second try");
        runs[1].output.exited_with(0)?;
        t.step("the two side by side name the test");
        let comparison = stigmer_e2e_report::compare(&runs[0].results, &runs[1].results)
            .map_err(|error| Broken(error.to_string()))?;
        let verdicts = comparison.changes.iter().map(|change| {
            let verdict = |side: &Option<(String, f64)>| side.as_ref().map(|side| side.0.clone());
            (verdict(&change.before), verdict(&change.after))
        });
        assert_eq!(
            verdicts.collect::<Vec<_>>(),
            [(Some("failed".to_owned()), Some("passed".to_owned()))]
        );
        Ok(())
    });
}
