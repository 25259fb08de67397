//! Whoever builds during a run does not take its programs away from it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use sha2::{Digest as _, Sha256};
use stigmer_e2e::harness::{Probe, story};

use super::killed::GONE;
use crate::pipeline::Inner;

const WITH_ENVIRONMENT: &str = "smk_01_a_fresh_environment_answers_and_each_part_says_what_it_is";

#[test]
fn iso_10_programs_that_are_replaced_during_a_run_change_nothing_of_it() {
    story(async |t| {
        let built = t.folder().join("built");
        fs::create_dir_all(&built)?;
        let mut inner = Inner::of(&t, &[WITH_ENVIRONMENT])?;
        let mut files = Vec::new();
        inner = inner.with(|plan| {
            let stack = &mut plan.stack;
            for program in [
                &mut stack.cli,
                &mut stack.server,
                &mut stack.workflow_runner,
                &mut stack.agent_runner,
                &mut plan.suite,
            ] {
                let file = built.join(program.file_name().unwrap_or_default());
                files.push((std::mem::replace(program, file.clone()), file));
            }
        });
        for (original, file) in &files {
            fs::hard_link(original, file)?;
        }
        let (server, built_server) = files[1].clone();
        let programs = t.session().root.join("target/e2e/programs");

        let (running, pending) = inner.spawn()?;
        let begun = t.eventually("the run has begun", GONE, async || {
            match pending.has("run-started") {
                true => Probe::Done(()),
                false => Probe::NotYet("no run-started event".to_owned()),
            }
        });
        begun.await?;
        t.step("a build puts other programs in their places, which only fail");
        for (_, file) in &files {
            // As Cargo does it: by a new file.
            fs::remove_file(file)?;
            fs::write(file, "#!/bin/sh\nexit 77\n")?;
            fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
        }
        let own = programs.join(pending.run_id());
        assert!(own.is_dir(), "{own} is not there during the run");
        let run = pending.ended(running).await?;
        run.output.exited_with(0)?;
        assert_eq!(run.last_line(), "1 passed, 0 failed, 0 skipped");

        t.step("what was run is recorded, and where it came from");
        let record = run.json("run.json")?;
        let binaries = record["binaries"].as_array().cloned().unwrap_or_default();
        let recorded = binaries.iter().find(|binary| binary["name"] == "server");
        let recorded = recorded.cloned().unwrap_or_default();
        let sha256 = hex(&Sha256::digest(fs::read(server)?));
        assert_eq!(recorded["sha256"], sha256.as_str());
        assert_eq!(recorded["path"], built_server.as_str());

        t.step("nothing is left of what the run had for itself");
        assert!(!own.exists(), "{own} is left");
        Ok(())
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
