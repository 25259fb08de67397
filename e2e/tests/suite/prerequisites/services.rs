//! Shared services that do not come up: the run ends, names the one, and leaves nothing.

use std::{fs, os::unix::fs::PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e::harness::{Broken, Failure, story};
use stigmer_e2e_plan::{LlmChoice, LlmFiles, Plan};

use crate::pipeline::{Ended, Inner};

const QUICK: &str = "smk_07";

/// A program of a few lines for the shell.
fn script(folder: &Utf8Path, name: &str, body: &str) -> std::io::Result<Utf8PathBuf> {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n"))?;
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    Ok(path)
}

/// What a run ends with when a service dies or does not become ready.
const SERVICE_FAILED: i32 = 98;
/// What a run ends with when a service finds no port.
const PORT_TAKEN: i32 = 108;

/// Ended because of the service `name`: one error that names it and its log, whose end is shown.
fn check_blamed(run: &Ended, code: i32, name: &str, last_words: &str) -> Result<(), Failure> {
    run.output.exited_with(code)?;
    let errors = run.output.error_lines();
    let errors = errors.iter().filter(|line| line.starts_with("error:"));
    let [error] = errors.collect::<Vec<_>>()[..] else {
        return Err(Broken(format!("not one error: {:?}", run.output.error_lines())).into());
    };
    let log = run.results.join(format!("services/{name}.log"));
    assert!(
        error.starts_with(&format!("error: {name} ")) && error.contains(log.as_str()),
        "{error}"
    );
    run.output.says(last_words)?;
    let record = run.json("run.json")?;
    assert_eq!(record["verdict"], "service-failed");
    let cause = record["cause"].as_str().unwrap_or_default();
    assert!(cause.starts_with(&format!("{name} ")), "{cause:?}");
    assert_eq!(run.verdicts()?, [], "a test was run all the same");
    assert_eq!(run.leftovers()?, []);
    Ok(())
}

#[test]
fn smk_05_a_service_that_does_not_start_is_named_and_nothing_is_left_running() {
    story(async |t| {
        let folder = t.folder().to_owned();
        let dies = script(&folder, "dies", "echo the last words >&2\nexit 3")?;
        t.step("Temporal ends while it starts");
        let run = Inner::of(&t, &[QUICK])?
            .with(|plan| plan.tools.temporal = dies.clone())
            .run()
            .await?;
        check_blamed(&run, SERVICE_FAILED, "temporal", "| the last words")?;
        run.output.says("exit status: 3")?;
        t.step("the model's server ends while it starts");
        let model = |plan: &mut Plan| {
            plan.llm = LlmChoice::LlamaCpp;
            plan.tools.python = dies.clone();
            plan.tools.llm = Some(LlmFiles {
                library: folder.clone(),
                model: folder.join("model.gguf"),
                name: "none".to_owned(),
                sha256: "0".repeat(64),
            });
        };
        let run = Inner::of(&t, &[QUICK])?.with(model).run().await?;
        check_blamed(&run, SERVICE_FAILED, "llm", "| the last words")?;
        t.step("a program that the system cannot start");
        let foreign = folder.join("foreign");
        fs::write(&foreign, "#!/no/such/interpreter\n")?;
        fs::set_permissions(&foreign, PermissionsExt::from_mode(0o755))?;
        let run = Inner::of(&t, &[QUICK])?
            .with(|plan| plan.tools.temporal = foreign)
            .run()
            .await?;
        check_blamed(&run, SERVICE_FAILED, "temporal", "could not be started")?;
        Ok(())
    });
}

/// Takes the port that Temporal is told to use, then starts Temporal.
const SQUATTER: &str = "\
import socket, subprocess, sys
squatted = socket.socket()
squatted.bind((\"127.0.0.1\", int(sys.argv[sys.argv.index(\"--port\") + 1])))
squatted.listen()
sys.exit(subprocess.call(sys.argv[1:]))
";

#[test]
fn pre_02_a_port_taken_in_between_costs_another_start_and_one_always_taken_is_named() {
    story(async |t| {
        let folder = t.folder().to_owned();
        let squatter = folder.join("squatter.py");
        fs::write(&squatter, SQUATTER)?;
        let squatting = |plan: &Plan, when: &str| {
            let (python, temporal) = (&plan.tools.python, &plan.tools.temporal);
            let body = format!(
                "if {when}; then exec '{python}' '{squatter}' '{temporal}' \"$@\"; fi\n\
                 exec '{temporal}' \"$@\""
            );
            script(&folder, "temporal", &body).expect("a test may write into its folder")
        };
        t.step("the first port is taken");
        let marker = folder.join("squatted");
        let once = Inner::of(&t, &[QUICK])?
            .with(|plan| {
                plan.tools.temporal = squatting(plan, &format!("mkdir '{marker}' 2>/dev/null"));
            })
            .run()
            .await?;
        once.output.exited_with(0)?;
        assert!(marker.is_dir(), "no port was taken: the test is wrong");
        let log = once.text("services/temporal.log")?.to_lowercase();
        assert!(log.contains("address already in use"), "{log}");
        assert_eq!(once.last_line(), "1 passed, 0 failed, 0 skipped");
        assert_eq!(once.leftovers()?, []);
        t.step("every port is taken");
        let always = Inner::of(&t, &[QUICK])?
            .with(|plan| plan.tools.temporal = squatting(plan, "true"))
            .run()
            .await?;
        check_blamed(&always, PORT_TAKEN, "temporal", "ddress already in use")?;
        always.output.says("end what takes every free port")?;
        Ok(())
    });
}
