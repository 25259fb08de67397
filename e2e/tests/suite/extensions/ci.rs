//! What CI does is what everybody does: the same command, whose verdict is the job's.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};

use camino::Utf8Path;
use serde_json::Value;
use stigmer_e2e::harness::{Broken, Failure, Test, story};
use stigmer_e2e_plan::Tier;

use crate::pipeline::xtask;

/// What `.ci/run` asks a machine for, each answered as by one that has everything. Cargo says what it
/// was asked and ends with the code for failed tests; nothing may be installed.
const MACHINE: [(&str, &str); 7] = [
    ("cc", "exit 0"),
    ("git", "exit 0"),
    ("python3", "exit 0"),
    ("ldconfig", "echo libgomp.so.1 libstdc++.so.6"),
    ("nix", "exit 0"),
    ("apt-get", "echo installing; exit 1"),
    ("cargo", "echo asked cargo: \"$@\"; exit 100"),
];

/// The text of each job of a workflow, by name.
fn jobs(workflow: &str) -> BTreeMap<&str, String> {
    let (_, jobs) = workflow.split_once("\njobs:\n").unwrap_or_default();
    let mut by_name = BTreeMap::<&str, String>::new();
    let mut name = "";
    for line in jobs.lines() {
        let indented = line
            .strip_prefix("  ")
            .filter(|line| !line.starts_with([' ', '#']));
        if let Some(job) = indented.and_then(|line| line.strip_suffix(':')) {
            name = job;
        }
        let job = by_name.entry(name).or_default();
        job.push_str(line);
        job.push('\n');
    }
    by_name
}

fn machine(folder: &Utf8Path, but: &[(&str, &str)]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (program, does) in MACHINE.iter().chain(but) {
        let path = folder.join(program);
        fs::write(&path, format!("#!/bin/sh\n{does}\n"))?;
        fs::set_permissions(path, PermissionsExt::from_mode(0o755))?;
    }
    Ok(())
}

/// The flags with which a job runs `.ci/run`.
fn flags(job: &str) -> Result<Vec<&str>, Failure> {
    let run = job
        .lines()
        .find_map(|line| line.trim().strip_prefix("run: .ci/run"));
    let run = run.ok_or_else(|| Broken(format!("it does not run .ci/run:\n{job}")))?;
    Ok(run.split_whitespace().collect())
}

/// What the real front door makes of such flags on CI.
async fn explained(t: &Test, flags: &[&str]) -> Result<Value, Failure> {
    let explain = xtask(t)?
        .env("CI", "true")
        .args(["test", "--explain", "--json"])
        .args(flags.iter().copied());
    let explained = explain.run().await?;
    explained.exited_with(0)?;
    let plan = explained.stdout.lines().next().unwrap_or_default();
    Ok(serde_json::from_str(plan)?)
}

#[test]
fn ext_01_ci_runs_the_one_command_for_each_commit_and_nightly_and_its_verdict_is_the_jobs() {
    story(async |t| {
        let root = &t.session().root;
        let workflow = fs::read_to_string(root.join(".github/workflows/e2e.yml"))?;
        for soft in ["continue-on-error", "|| true"] {
            assert!(!workflow.contains(soft), "{soft} would make red green");
        }
        let jobs = jobs(&workflow);
        let job = |name: &str| {
            let found = jobs.get(name).cloned();
            found.ok_or_else(|| Broken(format!("no job {name}, only {:?}", jobs.keys())))
        };
        let bin = t.folder().join("bin");
        machine(&bin, &[])?;
        for (name, when, tier) in [
            ("commit", "pull_request", "commit"),
            ("nightly", "schedule", "nightly"),
        ] {
            t.step(format!("the job {name}"));
            let job = job(name)?;
            assert!(
                job.contains(&format!("github.event_name == '{when}'")),
                "{job}"
            );
            // Without it, the runner's system does not let a user cut a run off.
            let permission = "sysctl --write kernel.apparmor_restrict_unprivileged_userns=0";
            assert!(job.contains(permission), "{job}");
            let flags = flags(&job)?;
            assert_eq!(explained(&t, &flags).await?["hermetic"], "where-possible");
            let script = root.join(".ci/run");
            let run = t
                .command(&script)
                .env("PATH", format!("{bin}:/usr/bin:/bin"))
                .args(flags.iter().copied());
            let ended = run.run().await?;
            let asked = ["xtask", "test"].iter().chain(&flags).copied();
            let asked = format!("asked cargo: {}", asked.collect::<Vec<_>>().join(" "));
            ended
                .exited_with(100)?
                .says(&asked)?
                .does_not_say("installing")?;
            assert_eq!(explained(&t, &flags).await?["tier"], tier);
        }
        t.step("another model, when somebody asks for it");
        let model = job("model")?;
        assert!(
            model.contains("github.event_name == 'workflow_dispatch'"),
            "{model}"
        );
        assert!(
            model.contains("run: cargo xtask e2e FUL --llm \"$LLM\"\n"),
            "{model}"
        );
        t.step("red or green, the results are kept");
        for (name, job) in &jobs {
            let (_, last) = job.rsplit_once("- name: ").unwrap_or_default();
            for part in [
                "if: always()",
                "uses: actions/upload-artifact@",
                "path: results/",
            ] {
                assert!(
                    last.contains(part),
                    "the job {name} ends without {part:?}:\n{last}"
                );
            }
        }
        assert!(Tier::Commit.limit_seconds() <= 15 * 60);
        Ok(())
    });
}

#[test]
fn fix_00b_a_run_of_ci_after_which_git_sees_a_change_of_the_checkout_is_red() {
    story(async |t| {
        let bin = t.folder().join("bin");
        // Git sees what the tests wrote, once they have written it.
        let written = t.folder().join("written");
        let git = format!("cat '{written}' 2>/dev/null || exit 0");
        let run = async |cargo: &str| {
            machine(&bin, &[("git", &git), ("cargo", cargo)])?;
            let script = t.command(&t.session().root.join(".ci/run"));
            let script = script.env("PATH", format!("{bin}:/usr/bin:/bin"));
            Ok::<_, Failure>(script.args(["SMK"]).run().await?)
        };
        t.step("the control: tests that change nothing");
        run("exit 0").await?.exited_with(0)?;
        t.step("tests that leave a file behind");
        let leaves = format!("echo '?? left-behind.txt' > '{written}'");
        run(&leaves)
            .await?
            .exited_with(100)?
            .says("the tests changed the checkout")?
            .says("left-behind.txt")?;
        Ok(())
    });
}
