//! `polluter`: which earlier test makes this one fail.

use stigmer_e2e::harness::{Broken, story};
use stigmer_e2e_flakes::begun;

use crate::{
    flakiness::rounds::{QUICK, cli},
    pipeline::Inner,
};

const CLEAN: &str = "smk_06_help_is_there_and_its_examples_parse";
const POLLUTER: &str = "err_06_a_missing_or_unsupported_key_is_named_with_what_is_supported";
const SMOKE: &str = "smoke::command_line";
const PROJECTS: &str = "errors::projects";

#[test]
fn flk_10_of_all_earlier_tests_the_one_that_makes_a_test_fail_is_found() {
    story(async |t| {
        // What an `apply` leaves makes every later `bogus` of the same run fail. Asking for its help is none.
        let program = cli(
            &t,
            "case \"$*\" in apply) touch \"$KEPT/$RUN\" ;; bogus) test -e \"$KEPT/$RUN\" && exit 7 ;; esac",
        )?;
        let victim = format!("{SMOKE}::{QUICK}");
        let polluter = format!("{PROJECTS}::{POLLUTER}");
        let earlier = vec![format!("{SMOKE}::{CLEAN}"), polluter.clone()];
        let search = Inner::of(&t, &[])?
            .with(|plan| plan.stack.cli = program)
            .polluter(&victim, &earlier, 1)
            .run()
            .await?;
        search.output.exited_with(0)?;
        let found = search.json("polluter.json")?;
        assert_eq!(found["polluters"], serde_json::json!([polluter]), "{found}");
        t.step("the smallest failing run is kept: the polluter, then the victim");
        let folder = found["folder"].as_str().unwrap_or_default().to_owned();
        let order = begun(folder.as_str().into()).map_err(|error| Broken(format!("{error:#}")))?;
        assert_eq!(order, [polluter, victim]);
        Ok(())
    });
}

#[test]
fn flk_10_a_test_that_fails_alone_or_never_has_no_polluter_and_is_told() {
    story(async |t| {
        let victim = format!("{SMOKE}::{QUICK}");
        let earlier = [format!("{SMOKE}::{CLEAN}")];
        for (name, script, told) in [
            (
                "alone",
                "case \"$1\" in bogus) exit 7 ;; esac",
                "it fails alone",
            ),
            ("never", "", "it did not fail after all 1 earlier test"),
        ] {
            t.step(name);
            let program = cli(&t, script)?;
            let search = Inner::of(&t, &[])?
                .with(|plan| plan.stack.cli = program)
                .polluter(&victim, &earlier, 1)
                .run()
                .await?;
            search.output.exited_with(100)?;
            let found = search.json("polluter.json")?;
            assert_eq!(found["polluters"], serde_json::json!([]), "{found}");
            let answer = found["answer"].as_str().unwrap_or_default();
            assert!(answer.starts_with(told), "{answer}");
        }
        Ok(())
    });
}
