//! What must hold before anything is started: every program is there, the suite can be listed, a model
//! served by somebody else is listed there.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use anyhow::{Context, Result};
use camino::Utf8Path;
use stigmer_e2e::services::{
    GivenServerError, ModelApi, OllamaApi, ServerError, whole_server_answers,
};
use stigmer_e2e_plan::{
    ExitCode, FAULTS_MARK, LlmChoice, OllamaServer, Plan, Selection, failure, read_json,
};
use tokio::{process::Command, time::timeout};

use super::selection::{SuiteTest, parse_list};
use crate::results::{Scenario, function, scenarios, versions_of};

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
    if plan.server.is_some() {
        // There is no stack to start.
        let parts = plan.parts();
        let is_of_client = |path| parts.iter().any(|(_, part)| *part == path);
        let client = [&plan.suite, &tools.nextest, &tools.cargo];
        programs.retain(|(_, path, ..)| is_of_client(*path) || client.contains(path));
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

/// Checks that the stack has deliberate faults compiled in only where that was asked for.
///
/// # Errors
///
/// [`ExitCode::BuildFailed`], naming the part.
pub fn check_faults(plan: &Plan) -> Result<()> {
    let wanted = plan.faults.is_some();
    let wrong = versions_of(plan)
        .into_iter()
        .find(|(_, version)| version.contains(FAULTS_MARK) != wanted);
    let (cause, fix) = match wrong {
        None => return Ok(()),
        Some((part, version)) if wanted => (
            format!("{part} has no faults compiled in: {version}"),
            "`cargo xtask mutants` builds one that has",
        ),
        Some((part, version)) => (
            format!("{part} has deliberate faults compiled in: {version}"),
            "run without --no-build, which builds it anew",
        ),
    };
    Err(failure(ExitCode::BuildFailed, cause, fix))
}

/// Checks that a model served by somebody else is listed there; an Ollama is given the pinned one.
///
/// # Errors
///
/// [`ExitCode::PrerequisiteMissing`].
pub async fn check_given_model(plan: &Plan) -> Result<()> {
    let lacking = |error: String| {
        failure(
            ExitCode::PrerequisiteMissing,
            error,
            "see to that server, or choose another model with --llm",
        )
    };
    match (&plan.llm, &plan.tools.gguf) {
        (LlmChoice::OpenAi { base_url, model }, _) => {
            let api = ModelApi::new(base_url, model, MODEL_LIMIT)?;
            let listed = api.lists_model().await;
            listed.map_err(|error| lacking(error.to_string()))
        }
        (LlmChoice::Ollama { server }, Some(gguf)) => {
            let Some(OllamaServer::Running(url)) = server else {
                // One that is started for the run is given it before it is ready.
                return Ok(());
            };
            let given = OllamaApi::new(url)?.provide(gguf).await;
            given.map_err(|error| lacking(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Checks that the server of somebody else, if one was given, is a whole Stigmer server; how many services
/// it offers.
///
/// # Errors
///
/// [`ExitCode::PrerequisiteMissing`], with what was met at its address.
pub async fn check_given_server(plan: &Plan) -> Result<Option<usize>> {
    let Some(server) = &plan.server else {
        return Ok(None);
    };
    let offered = whole_server_answers(server.as_str()).await;
    let offered = offered.map_err(|error| {
        let fix = match &error {
            GivenServerError::Server(ServerError::NotServing { .. }) => {
                "wait until it serves, or see to it"
            }
            GivenServerError::Server(_) => {
                "give --server the address that a stigmer-server listens at, <host>:<port>"
            }
            GivenServerError::NoReflection { .. } | GivenServerError::Lacking { .. } => {
                "ask a stigmer-server of this version"
            }
        };
        failure(ExitCode::PrerequisiteMissing, error.to_string(), fix)
    })?;
    Ok(Some(offered))
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

/// The tests of the suite. Ignored ones, which have to fail, are left out unless `selection` has the
/// whole name of one.
pub async fn list_tests(
    suite: &Utf8Path,
    scenarios: &[Scenario],
    selection: &Selection,
) -> Result<Vec<SuiteTest>> {
    let asked = selection.exactly.iter().chain(&selection.filters);
    let asked: Vec<&str> = asked.map(|name| function(name)).collect();
    let all = parse_list(&list(suite, &[]).await?, scenarios);
    let ignored = parse_list(&list(suite, &["--ignored"]).await?, scenarios);
    Ok(all
        .into_iter()
        .filter(|test| !ignored.contains(test) || asked.contains(&function(&test.path)))
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
