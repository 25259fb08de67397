//! `cargo xtask pins update`: which pinned packages have a newer version, and new pins for them.
//!
//! New pins are written when the packages of every platform were downloaded and measured, and the one
//! of this platform was provisioned and does what its pin says.

mod document;
mod packages;
mod registry;

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use serde::Serialize;
use serde_json::{Value, json};
use stigmer_e2e_plan::{ExitCode, Output, columns, failure, write_atomically};

use self::{
    document::Document,
    packages::{Measured, measured},
    registry::{newer_crates, newest},
};
use crate::{
    checkout::Checkout,
    host::{Python, cargo},
    pins::{Artefact, Pins, Tool, platform},
    progress::Progress,
    provision::Provisioner,
    run_id::random,
};

/// The file that is written.
const FILE: &str = "pins.json";

#[derive(Serialize)]
struct Row {
    event: &'static str,
    name: String,
    pinned: String,
    newest: String,
    /// `newest`, `newer`, `written`, `unknown`, or `not asked`.
    state: &'static str,
}

/// Shows what is newer; with `write`, pins it. `names` limits both to some tools.
pub fn run(names: &[Tool], write: bool, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let pins = Pins::read(&checkout.root)?;
    let python = Python::find();
    let python =
        python.map_err(|why| failure(ExitCode::PythonMissing, why, "install it, with pip"))?;
    let chosen = |tool: &Tool| names.is_empty() || names.contains(tool);
    let asked: Vec<_> = pins.artefacts().filter(|(tool, _)| chosen(tool)).collect();
    let answers = std::thread::scope(|scope| {
        let python = &python;
        let ask = |package| scope.spawn(move || newest(python, package));
        let asking: Vec<_> = asked
            .iter()
            .map(|(_, it)| ask(it.package.as_str()))
            .collect();
        let answers = asking.into_iter().map(crate::doctor::joined);
        answers.collect::<Vec<_>>()
    });
    let unknown = answers.iter().all(Result::is_err);
    let mut rows = Vec::new();
    let mut newer = Vec::new();
    for ((tool, artefact), answer) in asked.into_iter().zip(answers) {
        let (newest, state) = match answer {
            Ok(version) if version == artefact.version => (version, "newest"),
            Ok(version) => {
                newer.push((tool, artefact, version.clone()));
                (version, "newer")
            }
            Err(why) => (format!("{why:#}"), "unknown"),
        };
        rows.push(Row::new(tool.name(), &artefact.version, newest, state));
    }
    if write && !newer.is_empty() {
        pin(&newer, checkout, &python)?;
        let written = rows.iter_mut().filter(|row| row.state == "newer");
        written.for_each(|row| row.state = "written");
    }
    if names.is_empty() {
        rows.extend(others(&pins, checkout)?);
    }
    rows.iter().for_each(|row| output.object(row));
    let cells = rows.iter().map(|row| {
        [&row.name, &row.pinned, row.state, &row.newest]
            .map(str::to_owned)
            .to_vec()
    });
    output.line(columns(&cells.collect::<Vec<_>>()).trim_end());
    if unknown {
        let cause = "no package index answered";
        return Err(failure(
            ExitCode::ProvisionFailed,
            cause,
            "see to the network",
        ));
    }
    Ok(ExitCode::Success)
}

impl Row {
    fn new(name: &str, pinned: &str, newest: String, state: &'static str) -> Self {
        Self {
            event: "update",
            name: name.to_owned(),
            pinned: pinned.to_owned(),
            newest,
            state,
        }
    }
}

/// What is pinned besides packages of Python.
fn others(pins: &Pins, checkout: &Checkout) -> Result<Vec<Row>> {
    let crates = match newer_crates(&cargo()?, &checkout.root) {
        Ok(0) => Row::new("Cargo.lock", "", String::new(), "newest"),
        Ok(count) => {
            let newest = format!("of {count} crates; `cargo update` takes them");
            Row::new("Cargo.lock", "", newest, "newer")
        }
        Err(why) => Row::new("Cargo.lock", "", format!("{why:#}"), "unknown"),
    };
    let by_hand = "no package registry has it; by hand, then `cargo xtask pins verify`";
    let mut rows = vec![crates];
    let mut add = |name: &str, pinned: &str| {
        rows.push(Row::new(name, pinned, by_hand.to_owned(), "not asked"));
    };
    add("rust", &pins.rust.to_string());
    add("nixpkgs", pins.nixpkgs.rev.get(..12).unwrap_or_default());
    for (name, action) in &pins.actions {
        add(name, &action.version);
    }
    Ok(rows)
}

/// Writes pins for these versions, once all of their packages are here and this platform's work.
fn pin(newer: &[(Tool, &Artefact, String)], checkout: &Checkout, python: &Python) -> Result<()> {
    let file = checkout.root.join(FILE);
    let text = fs::read_to_string(&file).with_context(|| format!("failed to read {file}"))?;
    let mut document = Document::new(text);
    let scratch = Scratch(checkout.target.join(format!("pins-update-{:x}", random())));
    for (tool, artefact, version) in newer {
        let folder = scratch.0.join(tool.name());
        let packages = measured(artefact, version, python, &folder);
        let packages = packages.map_err(|error| refused(*tool, version, &error))?;
        enter(&mut document, tool.name(), artefact, version, &packages)?;
    }
    let text = document.into_text();
    let pins = Pins::parse(&text).context("the new pins are not well-formed")?;
    let platform = platform();
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python: Ok(python),
        pip: pins.pin(Tool::Pip, &platform)?,
    };
    let tools = newer.iter().map(|(tool, ..)| pins.pin(*tool, &platform));
    let tools = tools.collect::<Result<Vec<_>>>()?;
    for tool in provisioner.provision(&tools, &Progress::new()) {
        tool?;
    }
    write_atomically(&file, text.as_bytes())
}

/// A folder that goes away with its last user.
struct Scratch(Utf8PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is in the target directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(tool: Tool, version: &str, error: &anyhow::Error) -> anyhow::Error {
    let cause = format!("{tool} {version} cannot be pinned, and nothing was written: {error:#}");
    let fix = "name the other tools: cargo xtask pins update --write <names>";
    failure(ExitCode::ProvisionFailed, cause, fix)
}

/// Enters the new version of one tool.
fn enter(
    document: &mut Document,
    tool: &str,
    artefact: &Artefact,
    version: &str,
    packages: &BTreeMap<String, Measured>,
) -> Result<()> {
    document.set(&["artefacts", tool, "version"], &json!(version))?;
    if let Some(prints) = artefact.check.prints() {
        let prints = prints.replace(&artefact.version, version);
        document.set(&["artefacts", tool, "check", "prints"], &json!(prints))?;
    }
    for (platform, Measured { wheel, member }) in packages {
        let mut enter = |part: &str, values: &[Value; 3]| {
            ["path", "size", "sha256"]
                .iter()
                .zip(values)
                .try_for_each(|(field, value)| {
                    let path = ["artefacts", tool, "platforms", platform, part, field];
                    document.set(&path, value)
                })
        };
        enter("wheel", wheel)?;
        member
            .as_ref()
            .map_or(Ok(()), |member| enter("member", member))?;
    }
    Ok(())
}
