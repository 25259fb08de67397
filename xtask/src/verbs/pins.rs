//! `cargo xtask pins list|verify|fetch|update`.

use anyhow::Result;
use serde::Serialize;
use stigmer_e2e_plan::{ExitCode, Output, columns, size};

use crate::{
    checkout::Checkout,
    drift::{Agreement, compare},
    flags::PinsVerb,
    host::{Python, cargo},
    pins::{Artefact, Pin, Pins, Tool, platform},
    progress::Progress,
    provision::{Provisioner, Slot, Source, State},
    update,
};

#[derive(Serialize)]
struct PinRow<'a> {
    event: &'static str,
    name: &'static str,
    what: &'a str,
    version: &'a str,
    license: &'a str,
    /// `nix`, `cache`, `path`, `absent`, `intact`, or `broken`.
    state: String,
    /// The file, or why there is none.
    detail: String,
}

/// Shows the pins. Verifying ends with [`ExitCode::ProvisionFailed`] if a cached tool is not what
/// its pin says, or a file names another pin.
pub fn run(verb: PinsVerb, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    if let PinsVerb::Update { names, write } = &verb {
        return update::run(names, *write, checkout, output);
    }
    let pins = Pins::read(&checkout.root)?;
    let platform = platform();
    let python = Python::find();
    let python = python.as_ref().map_err(String::as_str);
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python,
        pip: pins.pin(Tool::Pip, &platform)?,
    };
    let tools = match &verb {
        PinsVerb::Fetch { names } if !names.is_empty() => names.as_slice(),
        _ => &Tool::ALL,
    };
    if let PinsVerb::Fetch { .. } = verb {
        let pins = tools.iter().map(|tool| pins.pin(*tool, &platform));
        let pins = pins.collect::<Result<Vec<_>>>()?;
        let fetched = provisioner.provision(&pins, &Progress::new());
        fetched.into_iter().try_for_each(|tool| tool.map(drop))?;
    }
    let rows = tools.iter().map(|tool| {
        let pin = pins.pin(*tool, &platform)?;
        let (state, detail) = match verb {
            PinsVerb::List | PinsVerb::Fetch { .. } | PinsVerb::Update { .. } => {
                listed(&provisioner, &pin)
            }
            PinsVerb::Verify => verified(&provisioner, &pin),
        };
        let Artefact {
            what,
            version,
            license,
            ..
        } = pin.artefact;
        Ok(PinRow {
            event: "pin",
            name: tool.name(),
            what,
            version,
            license,
            state,
            detail,
        })
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    show(&rows, output);
    let mut broken = rows.iter().any(|row| row.state == "broken");
    if let PinsVerb::Verify = verb {
        let agreements = compare(checkout, &pins, &cargo()?)?;
        show_agreements(&agreements, output);
        broken |= agreements.iter().any(|it| !it.drifted.is_empty());
    }
    Ok(if broken {
        ExitCode::ProvisionFailed
    } else {
        ExitCode::Success
    })
}

fn show(rows: &[PinRow<'_>], output: Output) {
    rows.iter().for_each(|row| output.object(row));
    let cells = rows.iter().map(|row| {
        [row.name, row.version, row.what, &row.state, &row.detail]
            .map(str::to_owned)
            .to_vec()
    });
    output.line(columns(&cells.collect::<Vec<_>>()).trim_end());
}

fn show_agreements(agreements: &[Agreement], output: Output) {
    agreements.iter().for_each(|it| output.object(it));
    let lines = agreements
        .iter()
        .flat_map(|Agreement { file, drifted, .. }| {
            let row = |state: &str, detail: &str| [file, state, detail].map(str::to_owned).to_vec();
            match drifted.as_slice() {
                [] => vec![row("in step", "")],
                drifted => drifted.iter().map(|how| row("drifted", how)).collect(),
            }
        });
    output.line(columns(&lines.collect::<Vec<_>>()).trim_end());
}

fn listed(provisioner: &Provisioner<'_>, pin: &Pin<'_>) -> (String, String) {
    match provisioner.find(pin) {
        Ok(Some(found)) => (found.source.to_string(), found.file.to_string()),
        Ok(None) => (
            "absent".to_owned(),
            format!(
                "{} {}, {}",
                pin.artefact.package,
                pin.artefact.version,
                size(pin.download.wheel.size)
            ),
        ),
        Err(error) => ("broken".to_owned(), format!("{error:#}")),
    }
}

fn verified(provisioner: &Provisioner<'_>, pin: &Pin<'_>) -> (String, String) {
    // What a variable names is proven whenever it is looked at.
    match provisioner.find(pin) {
        Ok(Some(found)) if found.source == Source::Nix => {
            return ("intact".to_owned(), format!("{} (nix)", found.file));
        }
        Err(error) => return ("broken".to_owned(), format!("{error:#}")),
        _ => {}
    }
    let slot = Slot::new(provisioner.cache, pin);
    match slot.verified_state(pin) {
        State::Intact => (
            "intact".to_owned(),
            format!("sha256 {}", pin.download.member.sha256),
        ),
        State::Absent => ("absent".to_owned(), "not fetched yet".to_owned()),
        State::Broken(why) => (
            "broken".to_owned(),
            format!("{why}; `cargo xtask doctor --fix` fetches it again"),
        ),
    }
}
