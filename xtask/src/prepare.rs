//! The phases that this program does itself, up to the plan that the driver carries out.

use anyhow::Result;
use stigmer_e2e_plan::{LlmChoice, Output, PhaseName, Plan, count};

use crate::{
    build::{self, Built},
    checkout::Checkout,
    doctor,
    freshness::fresh_binaries,
    host::{Python, cargo},
    phases::Phases,
    pins::{Pin, Pins, Tool, platform},
    plan::{Found, Outline},
    progress::Progress,
    provision::{Provisioned, Provisioner, Source},
};

/// A plan, and the driver that carries it out.
pub struct Prepared {
    /// What to do.
    pub plan: Plan,
    /// Who does it.
    pub driver: camino::Utf8PathBuf,
}

/// Plan, provision, build, doctor: after these everything that a run needs is there.
pub fn prepare(outline: Outline, checkout: &Checkout, output: Output) -> Result<Prepared> {
    let mut phases = Phases::new(output);
    let (mut outline, host) = phases.run(PhaseName::Plan, || {
        let host = doctor::look_at_host(checkout, &doctor::Needs::of(&outline));
        doctor::refuse_missing(&host.rows, output)?;
        let summary = outline.summary();
        Ok(((outline, host), summary))
    })?;
    let found = phases.run(PhaseName::Provision, || {
        let tools = provision(&mut outline, checkout, host.python.as_ref(), output)?;
        let summary = provision_summary(&tools);
        let python = host
            .python
            .as_ref()
            .map_or_else(|_| "python3".into(), |python| python.path.clone());
        Ok((
            Found {
                tools,
                python,
                cargo: cargo()?,
            },
            summary,
        ))
    })?;
    let built = phases.run(PhaseName::Build, || {
        if outline.no_build {
            return Ok((
                fresh_binaries(checkout)?,
                "skipped, no source is newer".to_owned(),
            ));
        }
        build::build(checkout, &found.cargo)
    })?;
    phases.run(PhaseName::Doctor, || {
        let mut rows = host.rows;
        rows.extend(doctor::checks::rows_of_tools(&found.tools));
        rows.extend(doctor::checks::rows_of_binaries(&built));
        doctor::refuse_missing(&rows, output)?;
        Ok(((), doctor::summary(&rows)))
    })?;
    let Built { driver, .. } = built.clone();
    Ok(Prepared {
        plan: outline.into_plan(checkout, &found, built, phases.into_records()),
        driver,
    })
}

/// Finds or fetches what the outline needs. With `--allow-skip` a model that cannot be had is given up.
fn provision(
    outline: &mut Outline,
    checkout: &Checkout,
    python: Result<&Python, &String>,
    output: Output,
) -> Result<Vec<Provisioned>> {
    let pins = Pins::read(&checkout.root)?;
    let platform = platform();
    let wanted = outline.tools();
    let wanted = wanted
        .iter()
        .map(|tool| pins.pin(*tool, &platform))
        .collect::<Result<Vec<Pin<'_>>>>()?;
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python: python.map_err(String::as_str),
    };
    let mut tools = Vec::new();
    let mut given_up = None;
    for (pin, result) in wanted
        .iter()
        .zip(provisioner.provision(&wanted, &Progress::new()))
    {
        match result {
            Ok(tool) => tools.push(tool),
            Err(error) if outline.allow_skip && is_for_the_model(pin.tool) => {
                given_up = Some(error)
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = given_up {
        output.note(&format!(
            "no model, tests that need one are skipped: {error:#}"
        ));
        outline.llm = LlmChoice::None;
        tools.retain(|tool| !is_for_the_model(tool.tool));
    }
    Ok(tools)
}

fn is_for_the_model(tool: Tool) -> bool {
    matches!(tool, Tool::LlamaCpp | Tool::Model)
}

fn provision_summary(tools: &[Provisioned]) -> String {
    let from = |source: Source| tools.iter().filter(|tool| tool.source == source).count();
    let sources = [
        (Source::Nix, "from Nix"),
        (Source::Cache, "cached"),
        (Source::Path, "on PATH"),
        (Source::Fetched, "fetched"),
    ];
    let parts: Vec<(usize, &str)> = sources
        .map(|(source, text)| (from(source), text))
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .collect();
    let all = match parts[..] {
        [(_, text)] => format!("all {text}"),
        _ => parts
            .iter()
            .map(|(n, text)| format!("{n} {text}"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    format!("{}, {all}", count(tools.len(), "tool"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_sources() {
        let tool = |source| Provisioned {
            tool: Tool::Model,
            version: "1".into(),
            file: "/f".into(),
            folder: "/".into(),
            sha256: [0; 32].into(),
            source,
        };
        assert_eq!(
            provision_summary(&[tool(Source::Cache), tool(Source::Cache)]),
            "2 tools, all cached"
        );
        assert_eq!(
            provision_summary(&[tool(Source::Nix), tool(Source::Fetched)]),
            "2 tools, 1 from Nix, 1 fetched"
        );
    }
}
