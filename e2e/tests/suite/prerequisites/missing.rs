//! Missing programs, a missing model, and runs in which nothing ran.

use camino::Utf8PathBuf;
use serde_json::Value;
use stigmer_e2e::harness::story;
use stigmer_e2e_plan::Plan;

use crate::pipeline::{Inner, xtask};

const QUICK: &str = "smk_07";
const WITH_MODEL: &str = "FUL-02";

#[test]
fn pre_01_each_missing_program_is_one_line_with_its_use_and_its_remedy() {
    story(async |t| {
        type Place = fn(&mut Plan) -> &mut Utf8PathBuf;
        let programs: [(&str, Place); 7] = [
            ("CLI", |plan| &mut plan.stack.cli),
            ("server", |plan| &mut plan.stack.server),
            ("workflow-runner", |plan| &mut plan.stack.workflow_runner),
            ("agent-runner", |plan| &mut plan.stack.agent_runner),
            ("Temporal", |plan| &mut plan.tools.temporal),
            ("nextest", |plan| &mut plan.tools.nextest),
            ("cargo", |plan| &mut plan.tools.cargo),
        ];
        for (name, place) in programs {
            t.step(format!("hide {name}"));
            let hidden = format!("/nowhere/{name}");
            let run = Inner::of(&t, &[QUICK])?
                .with(|plan| *place(plan) = hidden.clone().into())
                .run()
                .await?;
            run.output.exited_with(96)?;
            let lines = run.output.error_lines();
            let about = lines
                .iter()
                .filter(|line| line.contains(&hidden))
                .collect::<Vec<_>>();
            assert_eq!(about.len(), 1, "{name}: {lines:?}");
            assert!(
                about[0].contains(name) && about[0].contains("needed for"),
                "{name}: {about:?}"
            );
            let remedy = ["cargo xtask", "install"]
                .iter()
                .any(|word| run.output.stderr.contains(word));
            assert!(remedy, "{name}: no remedy in {lines:?}");
            assert_eq!(run.verdicts()?, [], "{name}: a test was run all the same");
            assert_eq!(run.leftovers()?, []);
        }
        Ok(())
    });
}

#[test]
fn pre_06_a_missing_model_fails_a_run_unless_skipping_is_allowed_and_counted() {
    story(async |t| {
        t.step("not allowed: the test that needs it fails");
        let strict = Inner::of(&t, &[QUICK, WITH_MODEL])?.run().await?;
        strict.output.exited_with(100)?.says("--allow-skip")?;
        assert_eq!(strict.last_line(), "1 passed, 1 failed, 0 skipped");
        t.step("allowed: it is skipped, and counted");
        let lenient = Inner::of(&t, &[QUICK, WITH_MODEL])?
            .with(|plan| plan.allow_skip = true)
            .run()
            .await?;
        lenient.output.exited_with(0)?;
        assert_eq!(lenient.last_line(), "1 passed, 0 failed, 1 skipped");
        t.step("nothing but skipped tests is no success");
        let nothing = Inner::of(&t, &[WITH_MODEL])?
            .with(|plan| plan.allow_skip = true)
            .run()
            .await?;
        nothing.output.exited_with(4)?;
        assert_eq!(nothing.json("run.json")?["verdict"], "nothing-ran");
        t.step("and neither is a filter that selects nothing");
        let nobody = Inner::of(&t, &["no_test_has_this_name"])?.run().await?;
        nobody
            .output
            .exited_with(4)?
            .says("no_test_has_this_name")?;
        Ok(())
    });
}

#[test]
fn pre_06_on_ci_nothing_may_be_skipped() {
    story(async |t| {
        for (ci, allowed) in [("true", false), ("", true)] {
            let output = xtask(&t)?
                .env("CI", ci)
                .args(["e2e", "--allow-skip", "--explain", "--json"])
                .run()
                .await?;
            if ci == "true" && output.code != Some(0) {
                output.says("--allow-skip")?;
                continue;
            }
            output.exited_with(0)?;
            let plan: Value =
                serde_json::from_str(output.stdout.lines().next().unwrap_or_default())?;
            assert_eq!(plan["allow_skip"], allowed, "CI={ci:?}");
        }
        Ok(())
    });
}
