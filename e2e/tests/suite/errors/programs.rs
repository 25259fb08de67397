//! A program that does not compile, does not end well, or hands over what is no resource.

use std::time::Duration;

use stigmer_e2e::harness::{CheckError, CliOutput, Environment, Project, Test, story};

use crate::then::Refusal;

/// Applies a program of `fixtures/projects/broken`, which has to be refused.
async fn refused(
    t: &Test,
    env: &Environment,
    refusal: &Refusal<'_>,
    program: &str,
) -> Result<CliOutput, CheckError> {
    t.step(program);
    let project = Project::fixture(t, &format!("broken/{program}"))?;
    let output = project.cli(env).args(["apply"]).run().await?;
    refusal.check(&output)?;
    output.does_not_say("Deployment successful")?;
    Ok(output)
}

#[test]
fn err_08_the_compilers_first_error_is_shown_with_file_and_line() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        let project = Project::template(&t, "does-not-compile")?;
        let output = project.cli(&env).args(["apply"]).run().await?;
        refusal.check(&output)?;
        // The template's first error, behind two warnings that are longer than 500 bytes.
        output
            .says("mismatched types")?
            .says("src/main.rs:10:28")?
            .says("undeclared_args")?;
        Ok(())
    });
}

#[test]
fn err_09_a_program_that_exits_three_or_panics_is_refused_with_its_own_words() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        refused(&t, &env, &refusal, "exits_three")
            .await?
            .says("3")?;
        t.step("panics");
        let project = Project::fixture(&t, "broken/panics")?;
        let output = project.cli(&env).args(["apply"]).run().await?;
        output.exited_with(1)?.says("panicked at")?;
        refusal.check_store(&output.command_line)?;
        Ok(())
    });
}

#[test]
fn err_09_a_mebibyte_of_output_does_not_block_the_command() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        refused(&t, &env, &refusal, "prints_a_mebibyte").await?;
        Ok(())
    });
}

#[test]
fn err_09_a_program_that_runs_for_ever_is_ended_at_its_limit() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        let project = Project::fixture(&t, "broken/runs_for_ever")?;
        let output = project
            .cli(&env)
            .env("STIGMER_SYNTHESIS_TIMEOUT", "2s")
            .args(["apply"])
            .within(Duration::from_secs(15))
            .run()
            .await?;
        refusal.check(&output)?;
        output.says("runs_for_ever")?;
        // Teardown fails this test if the program is still there.
        Ok(())
    });
}

#[test]
fn err_10_a_program_that_creates_nothing_is_refused() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        refused(&t, &env, &refusal, "creates_nothing")
            .await?
            .says("no resources found")?;
        Ok(())
    });
}

#[test]
fn err_11_an_output_file_that_is_no_resource_is_named() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let refusal = Refusal::expected(&env)?;
        for program in ["writes_garbage", "writes_truncated", "writes_foreign"] {
            refused(&t, &env, &refusal, program)
                .await?
                .says("agent-0.pb")?;
        }
        Ok(())
    });
}
