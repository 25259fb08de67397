//! `cargo xtask doctor`: what this machine needs, and with `--fix`, getting it.

use std::{process::Command, thread};

use anyhow::{Context, Result};
use serde::Deserialize;
use stigmer_e2e_plan::{ExitCode, Output, exit_code_of};
use xshell::{Shell, cmd};

use crate::{
    build::{Built, Extent, build},
    checkout::Checkout,
    doctor::{self, Host, Needs, Remedy, Row, State, checks, table},
    environment::as_the_user,
    host::{Python, cargo},
    pins::{Pin, Pins, Tool, platform},
    progress::Progress,
    provision::{Provisioner, Slot, State as Cached},
};

/// Checks the machine, repairs it if asked to, and checks again.
pub fn run(fix: bool, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let pins = Pins::read(&checkout.root)?;
    let platform = platform();
    let pins = Tool::ALL.iter().map(|tool| pins.pin(*tool, &platform));
    let pins = pins.collect::<Result<Vec<_>>>()?;
    let mut rows = checkup(checkout, &pins)?;
    if fix {
        doctor::apply(&rows, output)?;
        fetch(checkout, &pins)?;
        let (_, built) = build(checkout, &cargo()?, Extent::Whole)?;
        output.note(&format!("built: {built}"));
        rows = checkup(checkout, &pins)?;
    }
    rows.iter().for_each(|row| output.object(row));
    output.line(&table(&rows.iter().collect::<Vec<_>>(), output));
    match doctor::code_of_missing(&rows) {
        Some(code) => Ok(code),
        None => probe(checkout, output),
    }
}

fn checkup(checkout: &Checkout, pins: &[Pin<'_>]) -> Result<Vec<Row>> {
    let cargo = cargo()?;
    let needs = Needs {
        model: true,
        engine: Some(State::Warning),
        results: checkout.root.join("results"),
    };
    let Host { mut rows, python } = doctor::look_at_host(checkout, &needs);
    rows.extend(thread::scope(|scope| {
        let rustfmt = scope.spawn(|| checks::component(&cargo, "rustfmt", "fmt"));
        let clippy = scope.spawn(|| checks::component(&cargo, "clippy", "clippy"));
        let browser = scope.spawn(checks::browser);
        let pip = python
            .as_ref()
            .ok()
            .map(|python| scope.spawn(|| checks::pip(python)));
        let tools: Vec<_> = pins
            .iter()
            .map(|pin| scope.spawn(|| pinned_tool(checkout, pin, pip_among(pins), &python)))
            .collect();
        [rustfmt, clippy, browser]
            .into_iter()
            .chain(pip)
            .chain(tools)
            .map(doctor::joined)
            .collect::<Vec<Row>>()
    }));
    rows.extend(binaries(checkout));
    Ok(rows)
}

fn pinned_tool(
    checkout: &Checkout,
    pin: &Pin<'_>,
    pip: Pin<'_>,
    python: &Result<Python, String>,
) -> Row {
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python: python.as_ref().map_err(String::as_str),
        pip,
    };
    let row = |found: String| Row::ok(pin.tool.name(), found, &pin.artefact.needed_for);
    let version = &pin.artefact.version;
    match provisioner.find_and_try(pin) {
        Ok(Some(found)) => row(format!(
            "{} ({}, {})",
            found.version, found.source, found.file
        )),
        Ok(None) => match Slot::new(&checkout.cache, pin).state(pin) {
            Cached::Broken(why) => row(format!("{version} in the cache is broken: {why}")),
            Cached::Absent | Cached::Intact => row(format!("{version} is not here yet")),
        }
        .lacks(State::Warning, Remedy::Fetch),
        Err(error) => row(format!("{error:#}"))
            .lacks(State::Missing, Remedy::Fetch)
            .code(exit_code_of(&error)),
    }
}

/// The pin of pip, which all of them contain.
fn pip_among<'a>(pins: &[Pin<'a>]) -> Pin<'a> {
    *pins
        .iter()
        .find(|pin| pin.tool == Tool::Pip)
        .expect("these are the pins of every tool")
}

fn binaries(checkout: &Checkout) -> Vec<Row> {
    match Built::last(checkout) {
        Some(built) => doctor::rows_of_binaries(&built, Extent::Whole),
        None => {
            let row = Row::ok("binaries", "nothing is built yet", "the tests");
            vec![row.lacks(State::Warning, Remedy::Build)]
        }
    }
}

/// Fetches what is absent, and what is in the cache but is not what its pin says.
fn fetch(checkout: &Checkout, pins: &[Pin<'_>]) -> Result<()> {
    for pin in pins {
        let slot = Slot::new(&checkout.cache, pin);
        if matches!(slot.verified_state(pin), Cached::Broken(_)) {
            slot.discard()?;
        }
    }
    let python = Python::find();
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python: python.as_ref().map_err(String::as_str),
        pip: pip_among(pins),
    };
    let tools = provisioner.provision(pins, &Progress::new());
    tools.into_iter().try_for_each(|tool| tool.map(drop))
}

/// Lets the driver speak with the services of a stack, if one is up.
fn probe(checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let (driver, root) = (checkout.driver(), &checkout.root);
    if !driver.is_file() {
        return Ok(ExitCode::Success);
    }
    let sh = Shell::new()?;
    let status = as_the_user(cmd!(sh, "{driver} status --root {root} --json"));
    let status: Status = serde_json::from_str(&status.quiet().read()?)
        .with_context(|| format!("{driver} gives no status that can be understood"))?;
    if !status.up {
        return Ok(ExitCode::Success);
    }
    let json = output.json.then_some("--json");
    let probe = as_the_user(cmd!(sh, "{driver} probe --root {root} {json...}"));
    let ended = Command::from(probe).status();
    let ended = ended.with_context(|| format!("failed to start {driver}"))?;
    Ok(ExitCode::of(ended.code()))
}

#[derive(Deserialize)]
struct Status {
    up: bool,
}
