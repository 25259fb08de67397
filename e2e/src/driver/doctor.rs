//! What must hold before anything is started: every program is there, the suite can be listed, a model
//! served by somebody else is listed there.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use anyhow::{Context, Result};
use camino::Utf8Path;
use stigmer_e2e::services::ModelApi;
use stigmer_e2e_plan::{ExitCode, LlmChoice, Plan, failure, read_json};
use tokio::{process::Command, time::timeout};

use super::selection::{SuiteTest, parse_list};
use crate::results::{Scenario, scenarios};

/// How long the suite may take to list its tests.
const LIST_LIMIT: Duration = Duration::from_secs(30);
/// How long somebody else's model server may take to answer.
const MODEL_LIMIT: Duration = Duration::from_secs(10);

/// Checks that every program the plan names can be run.
///
/// # Errors
///
/// [`ExitCode::PrerequisiteMissing`], or [`ExitCode::PythonMissing`] if nothing else is missing, with
/// one line per missing program: what it is, what needs it, and how to get it.
pub fn check_programs(plan: &Plan) -> Result<()> {
    const BUILD: &str = "`cargo xtask e2e` builds it";
    const FETCH: &str = "`cargo xtask doctor --fix` gets it";
    const PYTHON: &str = "Python";
    let (stack, tools) = (&plan.stack, &plan.tools);
    let mut programs = vec![
        (
            "the CLI",
            &stack.cli,
            "every test that applies or runs",
            BUILD,
        ),
        (
            "the server",
            &stack.server,
            "every test with an environment",
            BUILD,
        ),
        (
            "the workflow-runner",
            &stack.workflow_runner,
            "every test that runs a workflow",
            BUILD,
        ),
        (
            "the agent-runner",
            &stack.agent_runner,
            "every test that runs an agent",
            BUILD,
        ),
        ("the suite", &plan.suite, "everything", BUILD),
        (
            "the Temporal CLI",
            &tools.temporal,
            "every test with an environment",
            FETCH,
        ),
        ("cargo-nextest", &tools.nextest, "everything", FETCH),
        (
            "cargo",
            &tools.cargo,
            "every test that compiles a program",
            "install Rust",
        ),
    ];
    if plan.llm == LlmChoice::LlamaCpp {
        programs.push((
            PYTHON,
            &tools.python,
            "the pinned model's server",
            "install Python 3.10 or later",
        ));
    }
    let is_missing = |path: &Utf8Path| {
        fs::metadata(path).map_or(true, |file| {
            !file.is_file() || file.permissions().mode() & 0o111 == 0
        })
    };
    programs.retain(|(_, path, _, _)| is_missing(path));
    let code = match programs.iter().all(|(name, ..)| *name == PYTHON) {
        true => ExitCode::PythonMissing,
        false => ExitCode::PrerequisiteMissing,
    };
    let complaint = programs
        .into_iter()
        .map(|(name, path, needed, fix)| {
            (
                format!("{name} ({path}) is not there, needed for {needed}"),
                fix,
            )
        })
        // Each line has its own fix; that of the last one is the fix of the failure.
        .reduce(|(above, its_fix), (cause, fix)| (format!("{above}; {its_fix}\n{cause}"), fix));
    match complaint {
        Some((cause, fix)) => Err(failure(code, cause, fix)),
        None => Ok(()),
    }
}

/// Checks that a model served by somebody else is listed there.
///
/// # Errors
///
/// [`ExitCode::PrerequisiteMissing`].
pub async fn check_given_model(plan: &Plan) -> Result<()> {
    let LlmChoice::OpenAi { base_url, model } = &plan.llm else {
        return Ok(());
    };
    let listed = ModelApi::new(base_url, model, MODEL_LIMIT)?
        .lists_model()
        .await;
    listed.map_err(|error| {
        failure(
            ExitCode::PrerequisiteMissing,
            error.to_string(),
            "see to that server, or choose another model with --llm",
        )
    })
}

/// The ids of the fixtures of a checkout.
pub fn fixtures(root: &Utf8Path) -> Result<Vec<String>> {
    let manifest: fixture_manifest::Manifest = read_json(&root.join("fixtures/manifest.json"))?;
    Ok(manifest.projects().map(|it| it.id.clone()).collect())
}

/// The scenarios of the acceptance list of a checkout.
pub fn acceptance(root: &Utf8Path) -> Result<Vec<Scenario>> {
    let file = root.join("docs/contract/acceptance.md");
    let text = fs::read_to_string(&file).with_context(|| format!("failed to read {file}"))?;
    Ok(scenarios(&text))
}

/// The tests of the suite, ignored ones left out.
pub async fn list_tests(suite: &Utf8Path, scenarios: &[Scenario]) -> Result<Vec<SuiteTest>> {
    let all = parse_list(&list(suite, &[]).await?, scenarios);
    let ignored = parse_list(&list(suite, &["--ignored"]).await?, scenarios);
    Ok(all
        .into_iter()
        .filter(|test| !ignored.contains(test))
        .collect())
}

async fn list(suite: &Utf8Path, extra: &[&str]) -> Result<String> {
    let mut command = Command::new(suite);
    command
        .args(["--list", "--format", "terse"])
        .args(extra)
        .kill_on_drop(true);
    let output = timeout(LIST_LIMIT, command.output()).await;
    let output =
        output.with_context(|| format!("{suite} did not list its tests within {LIST_LIMIT:?}"))?;
    let output = output.with_context(|| format!("failed to run {suite}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "{suite} does not list its tests ({}): {}",
        output.status,
        told.trim()
    );
    String::from_utf8(output.stdout).with_context(|| format!("{suite} lists tests in no UTF-8"))
}
