//! The suite notices what it promises to notice; and what is tested otherwise has no fault in it.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use camino::Utf8Path;
use serde_json::Value;
use stigmer_e2e::{
    ensure,
    harness::{Broken, story},
};
use stigmer_e2e_plan::read_json;

use crate::pipeline::{Inner, xtask};

const QUICK: &str = "smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";

/// What a program with faults cannot do without.
const SIGNS: [&str; 3] = ["STIGMER_FAULT", "stored-on-dry-run", "with faults"];

#[test]
fn flk_09_a_stack_for_use_has_nothing_of_a_fault_in_it() {
    story(async |t| {
        let stack = &t.session().stack;
        let names = t.folder().join("signs");
        fs::write(&names, SIGNS.join("\n"))?;
        for program in [
            &stack.cli,
            &stack.server,
            &stack.workflow_runner,
            &stack.agent_runner,
        ] {
            let searched = t
                .command(Utf8Path::new("grep"))
                .args(["-acF", "-f", names.as_str(), program.as_str()])
                .run()
                .await?;
            // Nothing found; 2 would be a file that cannot be read.
            searched.exited_with(1)?;
        }
        Ok(())
    });
}

#[test]
fn flk_09_a_stack_with_faults_is_refused_where_none_are_asked_for() {
    story(async |t| {
        let program = t.folder().join("faulty");
        let says = "#!/bin/sh\necho 'stigmer 0.1.0 (build 00, with faults)'\n";
        fs::write(&program, says)?;
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
        let run = Inner::of(&t, &[QUICK])?
            .with(|plan| plan.stack.cli.clone_from(&program))
            .run()
            .await?;
        run.output.exited_with(101)?;
        let lines = run.output.error_lines();
        assert!(
            lines.len() == 1 && lines[0].contains("cli has deliberate faults compiled in"),
            "{lines:?}"
        );
        assert_eq!(run.verdicts()?, [], "a test was run all the same");
        Ok(())
    });
}

mod nightly {
    use super::*;

    /// How long trying every fault may take beside three other tests.
    const LIMIT: Duration = Duration::from_secs(14 * 60);

    /// The fewest faults that the scenario asks for.
    const FEWEST: usize = 12;

    #[test]
    fn flk_09_every_deliberate_fault_turns_a_named_test_red() {
        story(async |t| {
            let results = t.folder().join("mutants");
            // Its tools are where ours are, its programs where ours were built.
            let cache = std::env::var("XDG_CACHE_HOME").ok();
            let home = std::env::var("HOME").unwrap_or_default();
            let run = xtask(&t)?
                .env("XDG_CACHE_HOME", cache.unwrap_or(format!("{home}/.cache")))
                .env("CARGO_TARGET_DIR", t.session().root.join("target").as_str())
                .args(["mutants", "--results", results.as_str()])
                .within(LIMIT)
                .run()
                .await?;
            run.exited_with(0)?;
            let verdicts: Value = read_json(&results.join("mutants.json"))
                .map_err(|error| Broken(format!("{error:#}")))?;
            let faults = verdicts["faults"].as_array().map_or(&[][..], Vec::as_slice);
            t.fact("faults", faults.len());
            ensure!(faults.len() >= FEWEST, "only {} faults", faults.len());
            for fault in faults {
                let killers = fault["fate"]["killed"].as_array().map_or(0, Vec::len);
                ensure!(killers > 0, "no test was red: {fault}");
            }
            Ok(())
        });
    }
}
