//! Missing programs, a missing model, and runs in which nothing ran.

use camino::Utf8PathBuf;
use serde_json::Value;
use stigmer_e2e::harness::{Failure, story};
use stigmer_e2e_plan::Plan;

use crate::pipeline::{Inner, xtask};

const QUICK: &str = "smk_07";
const WITH_MODEL: &str = "FUL-02";

#[test]
fn pre_01_each_missing_program_is_one_line_with_its_use_and_its_remedy() {
    story(async |t| {
        type Place = fn(&mut Plan) -> &mut Utf8PathBuf;
        const BUILD: &str = "`cargo xtask e2e` builds it";
        const FETCH: &str = "`cargo xtask doctor --fix` gets it";
        let programs: [(&str, &str, &str, Place); 8] = [
            (
                "the CLI",
                "every test that applies or runs",
                BUILD,
                |plan| &mut plan.stack.cli,
            ),
            (
                "the Temporal CLI",
                "every test with an environment",
                FETCH,
                |plan| &mut plan.tools.temporal,
            ),
            (
                "the server",
                "every test with an environment",
                BUILD,
                |plan| &mut plan.stack.server,
            ),
            ("cargo-nextest", "everything", FETCH, |plan| {
                &mut plan.tools.nextest
            }),
            (
                "the workflow-runner",
                "every test that runs a workflow",
                BUILD,
                |plan| &mut plan.stack.workflow_runner,
            ),
            (
                "cargo",
                "every test that compiles a program",
                "install Rust",
                |plan| &mut plan.tools.cargo,
            ),
            (
                "the agent-runner",
                "every test that runs an agent",
                BUILD,
                |plan| &mut plan.stack.agent_runner,
            ),
            ("the suite", "everything", BUILD, |plan| &mut plan.suite),
        ];
        // One at a time, and two at once whose remedies differ.
        let groups = programs.chunks(1).chain([&programs[..2]]);
        for (number, group) in groups.enumerate() {
            let names = group.iter().map(|(name, ..)| *name).collect::<Vec<_>>();
            t.step(format!("hide {}", names.join(" and ")));
            // The path must not hold the name, or the line would do so by itself.
            let hidden = |index: usize| format!("/nowhere/hidden-{number}-{index}");
            let run = Inner::of(&t, &[QUICK])?
                .with(|plan| {
                    for (index, (.., place)) in group.iter().enumerate() {
                        *place(plan) = hidden(index).into();
                    }
                })
                .run()
                .await?;
            run.output.exited_with(96)?;
            let lines = run.output.error_lines();
            assert_eq!(lines.len(), group.len(), "{lines:?}");
            for (index, (name, needed, remedy, _)) in group.iter().enumerate() {
                let whole = format!(
                    "{name} ({}) is not there, needed for {needed}; {remedy}",
                    hidden(index)
                );
                let about = lines
                    .iter()
                    .filter(|line| line.strip_prefix("error: ").unwrap_or(line) == whole)
                    .count();
                assert_eq!(about, 1, "{name}: {lines:?}");
            }
            assert_eq!(
                run.verdicts()?,
                [],
                "{names:?}: a test was run all the same"
            );
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
        let explain = |ci: &str| {
            let flags = ["e2e", "--allow-skip", "--explain", "--json"];
            Ok::<_, Failure>(xtask(&t)?.env("CI", ci).args(flags).run())
        };
        t.step("on CI the flag is refused");
        let refused = explain("true")?.await?;
        refused.exited_with(2)?.says("--allow-skip is refused")?;
        assert_eq!(refused.error_lines().len(), 1, "{}", refused.stderr);
        t.step("the control: elsewhere it is not");
        let explained = explain("")?.await?;
        explained.exited_with(0)?;
        let plan: Value =
            serde_json::from_str(explained.stdout.lines().next().unwrap_or_default())?;
        assert_eq!(plan["allow_skip"], true);
        Ok(())
    });
}
