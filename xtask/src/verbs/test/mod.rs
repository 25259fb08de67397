//! `cargo xtask test`: everything that must hold, in one command with one verdict.

mod checks;
mod tally;

use anyhow::Result;
use serde::Serialize;
use stigmer_e2e_plan::{ExitCode, Output, read_json};
use xshell::Shell;

use self::{
    checks::{
        Checks, dependencies, doc_tests, flake, format, lints, pins, report, unit_tests, workflows,
    },
    tally::Tally,
};
use crate::{
    checkout::Checkout,
    driver::run_driver,
    explain::explain,
    flags::RunFlags,
    host::cargo,
    pins::Tool,
    plan::Outline,
    prepare::{Prepared, prepare},
    retention::make_room,
};

#[derive(Serialize)]
struct TotalEvent {
    event: &'static str,
    tests: Tally,
    exit_code: u8,
}

/// Format, build, lints, dependencies, pins, workflows, flake, unit tests, suite. A check that fails does not stop the others, but the
/// verb ends with the first failure's code; what cannot be built stops everything.
pub fn run(flags: &RunFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let outline = Outline {
        with_checks: true,
        ..Outline::of_run(flags, checkout, output.json)?
    };
    if flags.stack.explain {
        return explain(&outline, checkout, output);
    }
    let sh = Shell::new()?;
    sh.change_dir(&checkout.root);
    let cargo = cargo()?;

    let mut checks = Checks::new(output, outline.allow_skip);
    checks.run("format", || format(&sh, &cargo))?;
    make_room(&outline.results, checkout, output)?;
    let prepared = prepare(outline, checkout, output)?;
    checks.run("lints", || lints(&sh, &cargo))?;
    checks.run("dependencies", || {
        dependencies(&sh, &cargo, &prepared.tool(Tool::CargoDeny)?)
    })?;
    checks.run("pins", || pins(checkout, &cargo))?;
    checks.run("workflows", || {
        workflows(&sh, &prepared.tool(Tool::Zizmor)?)
    })?;
    checks.run("flake", || flake(checkout))?;
    checks.run("unit tests", || {
        unit_tests(&sh, &cargo, &prepared.plan.tools.nextest)
    })?;
    checks.run("report", || report(&sh, &prepared.plan.tools.nextest))?;
    checks.run("doc tests", || doc_tests(&sh, &cargo))?;
    let (suite, of_suite) = suite(&prepared)?;

    let code = checks.code.unwrap_or(suite);
    let tests = checks.tally + of_suite;
    output.object(&TotalEvent {
        event: "total",
        tests,
        exit_code: code as u8,
    });
    output.line(&tests.to_string());
    Ok(code)
}

fn suite(prepared: &Prepared) -> Result<(ExitCode, Tally)> {
    let code = run_driver(&prepared.driver, &prepared.plan)?;
    // A driver that could not even begin leaves no summary, and its code says why.
    let tally = read_json(&prepared.plan.results.join("summary.json")).unwrap_or_default();
    Ok((code, tally))
}
