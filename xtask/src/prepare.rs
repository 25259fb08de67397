//! The phases that this program does itself, up to the plan that the driver carries out.

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use stigmer_e2e_plan::{Output, PhaseName, Plan};

use crate::{
    build::build,
    checkout::Checkout,
    contained,
    doctor::{self, Needs},
    freshness::fresh_binaries,
    host::cargo,
    phases::Phases,
    pins::Tool,
    plan::{Found, Outline},
    provision::Provisioned,
    tools,
};

/// A plan, and the driver that carries it out.
pub struct Prepared {
    /// What to do.
    pub plan: Plan,
    /// Who does it.
    pub driver: Utf8PathBuf,
    tools: Vec<Provisioned>,
}

impl Prepared {
    /// The file of a tool that the outline asked for.
    pub fn tool(&self, tool: Tool) -> Result<Utf8PathBuf> {
        let found = self.tools.iter().find(|found| found.tool == tool);
        let found = found.with_context(|| format!("the plan does not need {tool}"))?;
        Ok(found.file.clone())
    }
}

/// Plan, provision, build, doctor: after these, everything that a run needs is there.
pub fn prepare(outline: Outline, checkout: &Checkout, output: Output) -> Result<Prepared> {
    let mut outline = outline;
    let mut phases = Phases::new(output);

    let host = phases.run(PhaseName::Plan, || {
        let host = doctor::look_at_host(checkout, &Needs::of(&outline));
        doctor::refuse_missing(&host.rows, output)?;
        Ok((host, outline.summary()))
    })?;

    let found = phases.run(PhaseName::Provision, || {
        let tools = tools::provide(&mut outline, checkout, &host.python, output)?;
        let summary = tools::summary(&tools);
        // The plan names a Python even when nothing will ask for it.
        let python = host
            .python
            .map_or_else(|_| "python3".into(), |python| python.path);
        let cargo = cargo()?;
        Ok((
            Found {
                tools,
                python,
                cargo,
            },
            summary,
        ))
    })?;

    let extent = outline.extent();
    let built = phases.run(PhaseName::Build, || match outline.no_build {
        true => {
            let mut built = fresh_binaries(checkout, extent)?;
            contained::linked(checkout, &outline.runtime, &mut built.stack)?;
            let summary = "skipped, no source is newer, same commit";
            Ok((built, summary.to_owned()))
        }
        false => {
            let (mut built, summary) = build(checkout, &found.cargo, extent)?;
            contained::link(checkout, &found.cargo, &outline.runtime, &mut built.stack)?;
            Ok((built, summary))
        }
    })?;

    phases.run(PhaseName::Doctor, || {
        let mut rows = host.rows;
        rows.extend(doctor::rows_of_tools(&found.tools));
        rows.extend(doctor::rows_of_binaries(&built, extent));
        doctor::refuse_missing(&rows, output)?;
        Ok(((), doctor::summary(&rows)))
    })?;

    let driver = built.driver.clone();
    let plan = outline.into_plan(checkout, &found, built, phases.into_records());
    let tools = found.tools;
    Ok(Prepared {
        plan,
        driver,
        tools,
    })
}
