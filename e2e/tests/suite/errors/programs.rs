//! A program that does not compile, does not end well, or hands over what is no resource.

use std::time::Duration;

use stigmer_e2e::harness::{
    BrokenProject, CheckError, CliOutput, Environment, Manifest, Project, Test, story,
};

use super::complains;
use crate::then::Refusal;

/// The case of ERR-09 that only its limit ends.
const ENDLESS: &str = "runs_for_ever";

/// What a Rust program says below its panic: a hint for who wrote it, and no stack trace.
const HINT: &str =
    "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";

/// Applies a program of `fixtures/projects/broken`, which has to be refused with the texts of the
/// manifest on standard error.
async fn refused(t: &Test, env: &Environment, broken: &BrokenProject) -> Result<(), CheckError> {
    t.step(&broken.case);
    let refusal = Refusal::expected(env)?;
    let project = Project::fixture(t, &format!("broken/{}", broken.case))?;
    let output = project.cli(env).args(["apply"]).run().await?;
    check_refused(&refusal, &output, broken)
}

fn check_refused(
    refusal: &Refusal<'_>,
    output: &CliOutput,
    broken: &BrokenProject,
) -> Result<(), CheckError> {
    // The program's own hint once; a second one would be the command's.
    let without_hint = CliOutput {
        stderr: output.stderr.replacen(HINT, "", 1),
        ..output.clone()
    };
    refusal.check(&without_hint)?;
    output.does_not_say("Deployment successful")?;
    for text in &broken.says {
        complains(output, text)?;
    }
    Ok(())
}

#[test]
fn err_08_the_compilers_first_error_is_shown_with_file_and_line() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        let project = Project::template(&t, "does-not-compile")?;
        let output = project.cli(&env).args(["apply"]).run().await?;
        refusal.check(&output)?;
        // The template's first error, behind two warnings that are longer than 500 bytes.
        for text in ["mismatched types", "src/main.rs:10:28", "undeclared_args"] {
            complains(&output, text)?;
        }
        Ok(())
    });
}

#[test]
fn err_09_a_program_that_ends_badly_is_refused_with_its_own_words() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let manifest = Manifest::load(&t)?;
        let mut refused_cases = 0;
        for broken in manifest.broken_in("ERR-09")? {
            if broken.case != ENDLESS {
                refused(&t, &env, broken).await?;
                refused_cases += 1;
            }
        }
        // Exits with code 3, panics, and writes one mebibyte.
        assert_eq!(refused_cases, 3);
        Ok(())
    });
}

#[test]
fn err_09_a_program_that_runs_for_ever_is_ended_at_its_limit() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let manifest = Manifest::load(&t)?;
        let endless = manifest
            .broken_in("ERR-09")?
            .into_iter()
            .find(|broken| broken.case == ENDLESS)
            .expect("the manifest has the endless program");
        let refusal = Refusal::expected(&env)?;
        let project = Project::fixture(&t, &format!("broken/{ENDLESS}"))?;
        let output = project
            .cli(&env)
            .env("STIGMER_SYNTHESIS_TIMEOUT", "2s")
            .args(["apply"])
            .within(Duration::from_secs(15))
            .run()
            .await?;
        check_refused(&refusal, &output, endless)?;
        complains(&output, "did not end within 2s")?;
        t.step("the control: the program and its child had been there");
        let ids = std::fs::read_to_string(project.directory().join(".stigmer/pids.txt"))?;
        assert_eq!(ids.lines().count(), 2, "{ids:?}");
        // Teardown fails this test if one of them is still there.
        Ok(())
    });
}

#[test]
fn err_10_a_program_that_creates_nothing_is_refused() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        for broken in Manifest::load(&t)?.broken_in("ERR-10")? {
            refused(&t, &env, broken).await?;
        }
        Ok(())
    });
}

#[test]
fn err_11_an_output_file_that_is_no_resource_is_named() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        for broken in Manifest::load(&t)?.broken_in("ERR-11")? {
            refused(&t, &env, broken).await?;
        }
        Ok(())
    });
}
