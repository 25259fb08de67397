//! `--explain`: the plan as far as it can be known without fetching, building, or writing anything.

use anyhow::Result;
use camino::Utf8PathBuf;
use serde::Serialize;
use stigmer_e2e_plan::{
    ExitCode, Hermetic, LlmChoice, LoadPlan, Output, Runtime, ServerAddress, Tier, Verb, columns,
    size,
};

use crate::{
    build::Built,
    checkout::Checkout,
    host::Python,
    llm::describe_llm,
    pins::{Pin, Pins, Tool, platform},
    plan::Outline,
    provision::Provisioner,
};

const PORTS: &str = "chosen by the system on 127.0.0.1, and read back";

#[derive(Serialize)]
struct Explanation {
    event: &'static str,
    verb: Verb,
    run_id: String,
    phases: Vec<String>,
    tests: Vec<String>,
    tier: Tier,
    seed: u64,
    jobs: usize,
    llm: LlmChoice,
    runtime: Runtime,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerAddress>,
    hermetic: Hermetic,
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<LoadPlan>,
    ports: &'static str,
    keep: bool,
    allow_skip: bool,
    results: Utf8PathBuf,
    pins: Vec<ExplainedPin>,
    binaries: Vec<ExplainedBinary>,
}

#[derive(Serialize)]
struct ExplainedPin {
    name: &'static str,
    version: String,
    /// `nix`, `cache`, or `path`; else `to fetch`.
    source: String,
    /// The file, or the package to fetch.
    detail: String,
}

#[derive(Serialize)]
struct ExplainedBinary {
    path: Utf8PathBuf,
    exists: bool,
}

/// Shows what a run of the outline would do.
pub fn explain(outline: &Outline, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let explanation = explanation(outline, checkout)?;
    output.object(&explanation);
    output.line(text(&explanation).trim_end());
    Ok(ExitCode::Success)
}

fn explanation(outline: &Outline, checkout: &Checkout) -> Result<Explanation> {
    let pins = Pins::read(&checkout.root)?;
    let platform = platform();
    let python = Python::find();
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python: python.as_ref().map_err(String::as_str),
        pip: pins.pin(Tool::Pip, &platform)?,
    };
    let pins = outline
        .tools()
        .into_iter()
        .map(|tool| Ok(explain_pin(&provisioner, &pins.pin(tool, &platform)?)));
    let phases: &[&str] = match outline.verb {
        Verb::Run => &[
            "plan",
            "provision",
            "build",
            "doctor",
            "up",
            "test",
            "collect",
            "down",
        ],
        Verb::Up => &["plan", "provision", "build", "doctor", "up"],
        Verb::Images => &["plan", "provision", "build", "doctor"],
    };
    let built = Built::last(checkout);
    let binaries = built
        .as_ref()
        .map(|built| {
            built
                .binaries(outline.extent())
                .into_iter()
                .cloned()
                .collect()
        })
        .unwrap_or_else(|| vec![checkout.driver()]);
    Ok(Explanation {
        event: "plan",
        verb: outline.verb,
        run_id: outline.run_id.clone(),
        phases: phases.iter().map(|name| (*name).to_owned()).collect(),
        tests: match &outline.selection.exactly[..] {
            [] => outline.selection.filters.clone(),
            exactly => exactly.to_vec(),
        },
        tier: outline.selection.tier,
        seed: outline.seed,
        jobs: outline.jobs,
        llm: outline.llm.clone(),
        runtime: outline.runtime.clone(),
        server: outline.server.clone(),
        hermetic: outline.hermetic,
        load: outline.load.clone(),
        ports: PORTS,
        keep: outline.keep,
        allow_skip: outline.allow_skip,
        results: outline.results.clone(),
        pins: pins.collect::<Result<_>>()?,
        binaries: binaries
            .into_iter()
            .map(|path| ExplainedBinary {
                exists: path.exists(),
                path,
            })
            .collect(),
    })
}

fn explain_pin(provisioner: &Provisioner<'_>, pin: &Pin<'_>) -> ExplainedPin {
    let Pin {
        tool,
        artefact,
        download,
        ..
    } = pin;
    let (source, detail) = match provisioner.find(pin) {
        Ok(Some(found)) => (found.source.to_string(), found.file.to_string()),
        Ok(None) => (
            "to fetch".to_owned(),
            format!(
                "{} {}, {}",
                artefact.package,
                artefact.version,
                size(download.wheel.size)
            ),
        ),
        Err(error) => ("refused".to_owned(), format!("{error:#}")),
    };
    ExplainedPin {
        name: tool.name(),
        version: artefact.version.clone(),
        source,
        detail,
    }
}

fn text(explained: &Explanation) -> String {
    let tests = if explained.tests.is_empty() {
        "all".to_owned()
    } else {
        explained.tests.join(" ")
    };
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let hermetic = match explained.hermetic {
        Hermetic::Off => "no",
        Hermetic::WherePossible => "if the system permits it",
        Hermetic::Required => "yes",
    };
    let facts = [
        ("run", explained.run_id.clone()),
        ("phases", explained.phases.join(", ")),
        ("tests", tests),
        ("tier", explained.tier.to_string()),
        ("seed", explained.seed.to_string()),
        ("jobs", explained.jobs.to_string()),
        ("llm", describe_llm(&explained.llm)),
        ("hermetic", hermetic.to_owned()),
        ("runtime", explained.runtime.to_string()),
        ("ports", explained.ports.to_owned()),
        ("keep", yes(explained.keep)),
        ("allow skip", yes(explained.allow_skip)),
        ("results", explained.results.to_string()),
    ];
    let server = explained.server.as_ref();
    let server = server.map(|it| ("server", format!("{it}, only reading")));
    let pins = explained.pins.iter().map(|pin| {
        vec![
            pin.name.to_owned(),
            pin.version.clone(),
            pin.source.clone(),
            pin.detail.clone(),
        ]
    });
    let binaries = explained.binaries.iter().map(|binary| {
        let state = if binary.exists { "built" } else { "to build" };
        vec![state.to_owned(), binary.path.to_string()]
    });
    let load = explained
        .load
        .as_ref()
        .map(|load| ("load", describe_load(load)));
    let facts: Vec<Vec<String>> = facts
        .into_iter()
        .chain(load)
        .chain(server)
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    let part = |title: &str, rows: Vec<Vec<String>>| format!("\n{title}\n{}", columns(&rows));
    format!(
        "{}{}{}",
        columns(&facts),
        part("pins", pins.collect()),
        part("binaries", binaries.collect())
    )
}

fn describe_load(load: &LoadPlan) -> String {
    let temporal = load.temporal.as_ref();
    let temporal = temporal.map_or("the pinned dev server".to_owned(), ToString::to_string);
    let (levels, runners) = (&load.levels, load.runners);
    format!("{levels} at once, {runners} of each runner, Temporal: {temporal}")
}
