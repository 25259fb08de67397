//! What is typed is checked before anything is run, and 0 means that all is well.

use serde_json::Value;
use stigmer_e2e::harness::story;

use crate::pipeline::{Inner, xtask};

const QUICK: &str = "smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";

#[test]
fn flk_02_a_filter_that_selects_nothing_is_an_error_even_beside_one_that_selects_something() {
    story(async |t| {
        for filters in [&["no_test_has_this_name"][..], &[QUICK, "SMK-0777"]] {
            let wrong = filters[filters.len() - 1];
            t.step(format!("run {}", filters.join(" ")));
            let run = Inner::of(&t, filters)?.run().await?;
            run.output.exited_with(4)?;
            let lines = run.output.error_lines();
            let named = format!("no test matches \"{wrong}\"");
            assert!(
                lines.len() == 1 && lines[0].contains(&named),
                "not one line that names {wrong}: {lines:?}"
            );
            assert_eq!(run.verdicts()?, [], "a test was run all the same");
            assert_eq!(run.json("run.json")?["verdict"], "nothing-ran");
        }
        Ok(())
    });
}

#[test]
fn flk_03_it_works_from_any_directory_and_checks_its_arguments() {
    story(async |t| {
        t.step("the same plan from wherever it is asked for");
        let mut plans = Vec::new();
        for directory in [t.session().root.as_path(), t.folder(), "/".into()] {
            let arguments = ["e2e", QUICK, "--seed", "7", "--explain", "--json"];
            let explained = xtask(&t)?.cwd(directory).args(arguments).run().await?;
            explained.exited_with(0)?;
            let first = explained.stdout.lines().next().unwrap_or_default();
            let plan: Value = serde_json::from_str(first)?;
            plans.push(["root", "tests", "seed", "jobs"].map(|field| plan[field].clone()));
        }
        assert_eq!(plans[0][1], serde_json::json!([QUICK]));
        assert!(
            plans.iter().all(|plan| *plan == plans[0]),
            "the directory changes the plan: {plans:?}"
        );
        t.step("what cannot be meant is refused, and named");
        for (arguments, named) in [
            (&["e2e", "--seed", "seven"][..], "seven"),
            (&["e2e", "--jobs", "0"], "--jobs"),
            (&["e2e", "--tier", "yearly"], "yearly"),
            (&["e2e", "--llm", "oracle"], "oracle"),
            (&["e2e", "--no-such-flag"], "--no-such-flag"),
            (&["e2f"], "e2f"),
        ] {
            let refused = xtask(&t)?.args(arguments.iter().copied()).run().await?;
            refused.exited_with(2)?;
            let lines = refused.error_lines();
            let error = lines.first().copied().unwrap_or_default();
            assert!(
                error.starts_with("error: ") && error.contains(named),
                "{arguments:?}: {lines:?}"
            );
            assert_eq!(refused.stdout, "", "{arguments:?} did something");
        }
        Ok(())
    });
}

#[test]
fn flk_03_the_exit_code_is_0_only_when_all_tests_passed() {
    story(async |t| {
        let names = [QUICK, "smk_06"];
        let good = Inner::of(&t, &names)?.run().await?;
        good.output.exited_with(0)?;
        t.step("one program of the product does not work");
        let bad = Inner::of(&t, &names)?
            .with(|plan| plan.stack.cli = "/bin/false".into())
            .run()
            .await?;
        bad.output.exited_with(100)?;
        let failed = |verdicts: Vec<(String, String)>| {
            let failed = verdicts.iter().filter(|(_, verdict)| verdict == "failed");
            (failed.count(), verdicts.len())
        };
        assert_eq!(failed(good.verdicts()?).0, 0);
        let (failures, all) = failed(bad.verdicts()?);
        assert!(failures >= 1 && all >= 2, "{failures} of {all} failed");
        Ok(())
    });
}
