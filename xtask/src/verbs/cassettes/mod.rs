//! `cargo xtask cassettes list|refresh`: the recorded answers of models.

mod shelf;

use std::fs;

use anyhow::{Context, Result};
use camino::Utf8Path;
use clap::{Args, Subcommand};
use serde::Serialize;
use stigmer_e2e_plan::{
    ExitCode, LlmChoice, Output, Selection, Tier, Verb, columns, count, failure,
};

use self::shelf::{Labelled, shelf};
use crate::{
    checkout::Checkout,
    driver::run_driver,
    flags::StackFlags,
    llm::{CASSETTES, parse_llm},
    plan::Outline,
    prepare::prepare,
};

/// The module of the tests that talk to the run's model.
const RECORDED_TESTS: &str = "real_model";

#[derive(Debug, Subcommand)]
pub enum CassettesVerb {
    /// Show every cassette: whose answers are in it, of which model, recorded when and through what
    List,
    /// Record anew: run the tests against a real model, and keep its answers if they pass
    Refresh(RefreshFlags),
}

#[derive(Debug, Args)]
pub struct RefreshFlags {
    /// Which tests: scenario ids or parts of test names [default: all that talk to a real model]
    pub tests: Vec<String>,

    /// Which model answers: llama-cpp (the pinned one), or openai=<base url>,<model>
    #[arg(long, default_value = "llama-cpp", value_parser = parse_llm)]
    pub llm: LlmChoice,
}

#[derive(Serialize)]
struct CassetteEvent<'a> {
    event: &'static str,
    #[serde(flatten)]
    cassette: &'a Labelled,
}

/// Shows the cassettes, or records them anew.
pub fn run(verb: &CassettesVerb, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    match verb {
        CassettesVerb::List => list(&checkout.root.join(CASSETTES), output),
        CassettesVerb::Refresh(flags) => refresh(flags, checkout, output),
    }
}

fn list(folder: &Utf8Path, output: Output) -> Result<ExitCode> {
    let cassettes = shelf(folder)?;
    for cassette in &cassettes {
        output.object(&CassetteEvent {
            event: "cassette",
            cassette,
        });
    }
    let rows: Vec<_> = cassettes.iter().map(Labelled::row).collect();
    output.line(columns(&rows).trim_end());
    output.note(&count(cassettes.len(), "cassette"));
    Ok(ExitCode::Success)
}

/// Runs the tests with a real model and takes what they recorded, if all of them passed. The exit code
/// is the run's own.
fn refresh(flags: &RefreshFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    if matches!(flags.llm, LlmChoice::None | LlmChoice::Replay { .. }) {
        return Err(failure(
            ExitCode::Usage,
            "only a real model's answers can be recorded",
            "leave --llm out, or name a model: --llm openai=<base url>,<model>",
        ));
    }
    let outline = Outline {
        verb: Verb::Run,
        keep: false,
        selection: Selection {
            tier: Tier::Nightly,
            filters: match flags.tests.as_slice() {
                [] => vec![RECORDED_TESTS.to_owned()],
                tests => tests.to_vec(),
            },
            ..Selection::default()
        },
        ..Outline::of_stack(&StackFlags::again(flags.llm.clone()), checkout, output.json)?
    };
    let recorded = outline.results.join("cassettes");
    let prepared = prepare(outline, checkout, output)?;
    let code = run_driver(&prepared.driver, &prepared.plan)?;
    if code != ExitCode::Success {
        output.note("nothing was kept: a test of the run did not pass");
        return Ok(code);
    }
    keep(&recorded, &checkout.root.join(CASSETTES), output)?;
    Ok(code)
}

/// Copies what was recorded to where it is replayed from.
fn keep(recorded: &Utf8Path, folder: &Utf8Path, output: Output) -> Result<()> {
    let cassettes = shelf(recorded)?;
    if cassettes.is_empty() {
        return Err(failure(
            ExitCode::NothingRan,
            "none of these tests talks to the run's model, so nothing was recorded",
            format!("name a test of a module {RECORDED_TESTS}"),
        ));
    }
    fs::create_dir_all(folder).with_context(|| format!("failed to make {folder}"))?;
    for cassette in &cassettes {
        let target = folder.join(cassette.file());
        let state = match target.exists() {
            true => "again",
            false => "new",
        };
        fs::copy(recorded.join(cassette.file()), &target)
            .with_context(|| format!("failed to write {target}"))?;
        output.object(&CassetteEvent {
            event: "recorded",
            cassette,
        });
        output.note(&format!(
            "recorded {state}: {CASSETTES}/{}",
            cassette.file()
        ));
    }
    Ok(())
}
