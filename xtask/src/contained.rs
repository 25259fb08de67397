//! Programs for containers: the same crates, linked once more with everything they need inside.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{ContainerPart, ExitCode, Runtime, Stack, failure, staleness};
use xshell::{Shell, cmd};

use crate::{
    cargo::{JSON, run_cargo},
    checkout::Checkout,
};

/// The parts of `runtime` that are built here, with the package and program of each, and where `stack`
/// has it.
fn built_here<'a>(
    runtime: &'a Runtime,
    stack: &'a mut Stack,
) -> Vec<(&'static str, &'a mut Utf8PathBuf)> {
    let Stack {
        server,
        workflow_runner,
        agent_runner,
        ..
    } = stack;
    let all = [
        (ContainerPart::Server, "stigmer-server", server),
        (
            ContainerPart::WorkflowRunner,
            "stigmer-workflow-runner",
            workflow_runner,
        ),
        (
            ContainerPart::AgentRunner,
            "stigmer-agent-runner",
            agent_runner,
        ),
    ];
    all.into_iter()
        .filter(|(part, ..)| runtime.contained().any(|contained| contained == *part))
        .map(|(_, name, program)| (name, program))
        .collect()
}

/// Links each part of `runtime` that runs in a container statically, and puts it into `stack` in place
/// of the other one. Only the last crate of each is compiled again.
///
/// # Errors
///
/// When one cannot be built.
pub fn link(
    checkout: &Checkout,
    cargo: &Utf8Path,
    runtime: &Runtime,
    stack: &mut Stack,
) -> Result<()> {
    let sh = Shell::new()?;
    sh.change_dir(&checkout.root);
    // Everything is compiled where it is compiled for the other programs, which stay what they are.
    sh.set_var("CARGO_BUILD_BUILD_DIR", &checkout.target);
    sh.set_var("CARGO_TARGET_DIR", folder(checkout));
    for (name, program) in built_here(runtime, stack) {
        let options = ["-C", "target-feature=+crt-static", "-C", "strip=symbols"];
        let command = cmd!(
            sh,
            "{cargo} rustc --locked --package {name} --bin {name} {JSON} -- {options...}"
        );
        let mut output = run_cargo(command)?;
        let linked = output.executables.remove(name);
        *program = linked.with_context(|| format!("the build gave no static `{name}`"))?;
    }
    Ok(())
}

/// As [`link`], with the programs of the last time.
///
/// # Errors
///
/// When one is not there, or a source is newer.
pub fn linked(checkout: &Checkout, runtime: &Runtime, stack: &mut Stack) -> Result<()> {
    let profile = checkout.binaries.file_name().unwrap_or("debug");
    for (name, program) in built_here(runtime, stack) {
        let static_program = folder(checkout).join(profile).join(name);
        let cause = match static_program.exists() {
            true => staleness(&static_program, &checkout.root, &[]),
            false => Some(format!("{static_program} has not been built yet")),
        };
        if let Some(cause) = cause {
            return Err(failure(
                ExitCode::BuildFailed,
                cause,
                "run without --no-build",
            ));
        }
        *program = static_program;
    }
    Ok(())
}

fn folder(checkout: &Checkout) -> Utf8PathBuf {
    checkout.target.join("static")
}
