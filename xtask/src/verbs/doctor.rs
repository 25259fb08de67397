//! `cargo xtask doctor`: what this machine needs, and with `--fix`, getting it.

use std::{process::Command, thread};

use anyhow::Result;
use serde::Serialize;
use stigmer_e2e_plan::ExitCode;
use xshell::{Shell, cmd};

use crate::{
    build::{self, Built},
    checkout::Checkout,
    doctor::{self, Needs, Remedy, Row, State, checks, table},
    environment::as_the_user,
    host::{Python, cargo},
    output::Output,
    pins::{Pins, Tool, platform},
    progress::Progress,
    provision::Provisioner,
};

/// Checks the machine, repairs it if asked to, and checks again.
pub fn run(fix: bool, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let mut rows = checkup(checkout)?;
    if fix {
        doctor::apply(&rows, output)?;
        fetch_and_build(checkout, output)?;
        rows = checkup(checkout)?;
    }
    show(&rows, output);
    let missing = rows.iter().any(|row| row.state == State::Missing);
    if missing {
        return Ok(ExitCode::PrerequisiteMissing);
    }
    probe(checkout, output)
}

fn checkup(checkout: &Checkout) -> Result<Vec<Row>> {
    let cargo = cargo()?;
    let needs = Needs { model: true, results: checkout.root.join("results") };
    thread::scope(|scope| {
        let rustfmt = scope.spawn(|| checks::component(&cargo, "rustfmt", "fmt"));
        let clippy = scope.spawn(|| checks::component(&cargo, "clippy", "clippy"));
        let host = doctor::look_at_host(checkout, &needs);
        let mut rows = host.rows;
        rows.extend([rustfmt, clippy].map(doctor::joined));
        rows.extend(host.python.as_ref().ok().map(checks::pip));
        rows.extend(pinned_tools(checkout, &host.python)?);
        rows.extend(binaries(checkout));
        Ok(rows)
    })
}

fn pinned_tools(checkout: &Checkout, python: &Result<Python, String>) -> Result<Vec<Row>> {
    let pins = Pins::read(&checkout.root)?;
    let platform = platform();
    let provisioner = Provisioner { cache: &checkout.cache, python: python.as_ref().map_err(String::as_str) };
    let mut rows = Vec::new();
    for tool in Tool::ALL {
        let pin = pins.pin(tool, &platform)?;
        let absent = || format!("{} is not here yet", pin.artefact.version);
        let row = match provisioner.find_and_try(&pin) {
            Ok(Some(found)) => Row::ok(tool.name(), format!("{} ({})", found.version, found.source), tool.needed_for()),
            Ok(None) => Row::ok(tool.name(), absent(), tool.needed_for()).but(State::Warning, "the next run fetches it", Some(Remedy::Fetch)),
            Err(error) => Row::ok(tool.name(), format!("{error:#}"), tool.needed_for())
                .but(State::Missing, Remedy::Fetch.as_text(), Some(Remedy::Fetch)),
        };
        rows.push(row);
    }
    Ok(rows)
}
