//! What a test does not need, it runs without.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use stigmer_e2e::harness::{Failure, Test, story};

use crate::pipeline::Inner;

/// Runs `filters` where there is no model, and where every container engine writes down that it was
/// called and fails; all of them have to pass.
async fn pass_without(t: &Test, filters: &[&str], limit: Duration) -> Result<(), Failure> {
    let (tools, called) = (t.folder().join("engines"), t.folder().join("called"));
    fs::create_dir_all(&tools)?;
    for engine in ["docker", "podman", "nerdctl", "ollama"] {
        let program = tools.join(engine);
        fs::write(
            &program,
            format!("#!/bin/sh\necho \"$0 $*\" >> '{called}'\nexit 1\n"),
        )?;
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let run = Inner::of(t, filters)?
        .env("PATH", format!("{tools}:{path}"))
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .within(limit)
        .run()
        .await?;
    run.output.exited_with(0)?;
    let session = run.json("session.json")?;
    assert!(session["llm"].is_null(), "there is a model: {session}");
    let verdicts = run.verdicts()?;
    let others: Vec<_> = verdicts.iter().filter(|(_, it)| it != "passed").collect();
    assert!(!verdicts.is_empty() && others.is_empty(), "{others:?}");
    assert!(!called.exists(), "{}", fs::read_to_string(&called)?);
    Ok(())
}

#[test]
fn pre_05_dry_run_apply_fixtures_and_errors_need_no_model_and_no_container() {
    story(async |t| {
        // One of each kind; the nightly test takes all of them.
        let names = ["APP-01", "APP-04", "FIX-02", "ERR-01"];
        pass_without(&t, &names, Duration::from_secs(90)).await
    });
}

mod nightly {
    use super::*;

    #[test]
    fn pre_05_all_tests_of_apply_fixtures_and_errors_need_no_model_and_no_container() {
        story(async |t| pass_without(&t, &["APP", "FIX", "ERR"], Duration::from_secs(800)).await);
    }
}
