//! `run` under a warden: the process that carries the run out is a child of one that outlives it.

use std::{os::unix::process::ExitStatusExt, process::Command};

use anyhow::{Context, Result};
use stigmer_e2e::{
    containers::Engine,
    supervise::{Aftermath, mark_of, watch},
};
use stigmer_e2e_plan::{ExitCode, Output, Plan, Style, count};

use super::{
    hermetic::cut_off,
    programs::{Programs, clean_up},
};
use crate::results::{RunVerdict, mark_ended};

/// Carries `plan` out in a child of this process: this program again, with `arguments`. Whatever ends
/// the child, nothing of the run is left afterwards, and `run.json` says how it ended.
///
/// # Errors
///
/// When the child cannot be started, or something does not even end on SIGKILL.
pub fn guarded(plan: &Plan, arguments: &[&str]) -> Result<ExitCode> {
    let programs = Programs::take(plan)?;
    let mut command = Command::new(programs.driver());
    command.args(arguments);
    cut_off(plan, &mut command)?;
    let mut aftermath =
        watch(command, &mark_of(&plan.run_id)).context("failed to guard the run")?;
    if plan.runtime.needs_engine() {
        // They are the engine's processes, not descendants of the run.
        let removed = Engine::find()?.remove_all_of(&plan.run_id)?.containers;
        let removed = removed.iter().map(|name| format!("container {name}"));
        aftermath.killed.extend(removed);
    }
    let code = judge(plan, &aftermath);
    // A run that was killed left its lease as well.
    clean_up(&plan.root)?;
    code
}

/// What the run's own exit code is worth, given what it left.
fn judge(plan: &Plan, Aftermath { status, killed }: &Aftermath) -> Result<ExitCode> {
    let output = Output::new(plan.json);
    for command in killed {
        eprintln!("error: left behind and killed: {command}");
    }
    let code = ExitCode::of(status.code());
    let processes = count(killed.len(), "leftover");
    let (verdict, code, cause) = match status.signal() {
        Some(signal) => (
            RunVerdict::Broken,
            ExitCode::Internal,
            format!("the pipeline was killed by signal {signal}; {processes} taken down after it"),
        ),
        None if code == ExitCode::Success && !killed.is_empty() => (
            RunVerdict::Leftovers,
            ExitCode::Leftovers,
            format!("{processes} killed after the run"),
        ),
        None => return Ok(code),
    };
    // Rounds have one each; what they are rounds of has none.
    if plan.results.join("run.json").exists() {
        mark_ended(&plan.results, verdict, code, &cause)?;
    }
    output.line(&format!(
        "  {}    {cause}",
        output.paint(Style::Red, verdict.words())
    ));
    Ok(code)
}
