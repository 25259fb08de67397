//! Handing over to the driver, which does whatever needs more than `xtask` may depend on.

use std::{os::unix::process::CommandExt, process::Command, thread};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use duct::unix::HandleExt;
use serde::Serialize;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use stigmer_e2e_plan::{ExitCode, Plan, Verb, failure, write_json};
use xshell::{Shell, cmd};

use crate::{
    checkout::Checkout,
    environment::{as_the_user, make_users_own},
};

/// Writes the plan into the results folder and returns its path.
pub fn write_plan(plan: &Plan) -> Result<Utf8PathBuf> {
    write_into(&plan.results, plan)
}

fn write_into<T: Serialize>(results: &Utf8Path, plan: &T) -> Result<Utf8PathBuf> {
    let path = results.join("plan.json");
    write_json(&path, plan).map_err(|error| {
        let fix = "make the folder writable, or name another one with --results";
        failure(ExitCode::ResultsUnwritable, format!("{error:#}"), fix)
    })?;
    Ok(path)
}

/// Becomes the driver, which carries out the plan. Returns only if that fails.
pub fn become_driver(driver: &Utf8Path, plan: &Plan) -> Result<ExitCode> {
    let path = write_plan(plan)?;
    let verb = match plan.verb {
        Verb::Run => "run",
        Verb::Up => "up",
        Verb::Images => "images",
    };
    become_command(driver, &[verb, "--plan", path.as_str()])
}

/// Becomes the driver for `verb`, whose `plan` is written into `results` first.
pub fn become_driver_for<T: Serialize>(
    verb: &str,
    driver: &Utf8Path,
    results: &Utf8Path,
    plan: &T,
) -> Result<ExitCode> {
    let path = write_into(results, plan)?;
    become_command(driver, &[verb, "--plan", path.as_str()])
}

/// Becomes the driver for a verb about a stack that `up` started.
pub fn become_attached(checkout: &Checkout, arguments: &[&str], json: bool) -> Result<ExitCode> {
    let driver = checkout.driver();
    if !driver.is_file() {
        let cause = format!("{driver} has not been built, so nothing was started from here");
        return Err(failure(
            ExitCode::ServiceFailed,
            cause,
            "start a stack with `cargo xtask up`",
        ));
    }
    let json = json.then_some("--json");
    let mut all = arguments.to_vec();
    all.extend(["--root", checkout.root.as_str()]);
    all.extend(json);
    become_command(&driver, &all)
}

/// Becomes the driver, with these arguments. Returns only if that fails.
pub fn become_command(driver: &Utf8Path, arguments: &[&str]) -> Result<ExitCode> {
    let sh = Shell::new()?;
    let error = Command::from(as_the_user(cmd!(sh, "{driver} {arguments...}"))).exec();
    Err(error).with_context(|| format!("failed to start {driver}"))
}

/// Runs the driver as a child that gets each of our signals exactly once, and returns how it ended.
pub fn run_driver(driver: &Utf8Path, plan: &Plan) -> Result<ExitCode> {
    run_as_child(driver, plan, None)
}

/// The same, and what it prints goes into `driver.log` of its results.
pub fn run_driver_quietly(driver: &Utf8Path, plan: &Plan) -> Result<ExitCode> {
    run_as_child(driver, plan, Some(&plan.results.join("driver.log")))
}

fn run_as_child(driver: &Utf8Path, plan: &Plan, log: Option<&Utf8Path>) -> Result<ExitCode> {
    let path = write_plan(plan)?;
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("failed to watch for signals")?;
    let watching = signals.handle();
    let mut command = duct::cmd(driver.as_str(), ["run", "--plan", path.as_str()]);
    if let Some(log) = log {
        command = command.stderr_to_stdout().stdout_path(log);
    }
    let child = command
        .before_spawn(|command| {
            make_users_own(command);
            // In a group of its own, Ctrl-C on the terminal does not reach it by itself as well: a
            // second one would be taken for impatience.
            command.process_group(0);
            Ok(())
        })
        .stdin_null()
        .unchecked()
        .start()
        .with_context(|| format!("failed to start {driver}"))?;
    let status = thread::scope(|scope| {
        scope.spawn(|| {
            for signal in signals.forever() {
                // It fails only if the child has just ended, and then there is nobody to tell.
                let _ = child.send_signal(signal);
            }
        });
        let ended = child.wait().map(|output| output.status);
        watching.close();
        ended
    });
    let status = status.with_context(|| format!("failed to wait for {driver}"))?;
    Ok(ExitCode::of(status.code()))
}
