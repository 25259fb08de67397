//! The pinned tools of one run.

use anyhow::{Result, anyhow};
use stigmer_e2e_plan::{LlmChoice, Output, count};

use crate::{
    checkout::Checkout,
    host::Python,
    pins::{Pins, Tool, platform},
    plan::Outline,
    progress::Progress,
    provision::{Provisioned, Provisioner, Source},
};

/// Finds or fetches what the outline needs. With `--allow-skip`, a pinned model that cannot be had
/// is given up, and said so.
pub fn provide(
    outline: &mut Outline,
    checkout: &Checkout,
    python: &Result<Python, String>,
    output: Output,
) -> Result<Vec<Provisioned>> {
    let pins = Pins::read(&checkout.root)?;
    let platform = platform();
    let wanted = outline
        .tools()
        .into_iter()
        .map(|tool| pins.pin(tool, &platform));
    let wanted = wanted.collect::<Result<Vec<_>>>()?;
    let python = python.as_ref().map_err(String::as_str);
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python,
        pip: pins.pin(Tool::Pip, &platform)?,
    };

    let (mut tools, mut given_up) = (Vec::new(), None);
    for (pin, tool) in wanted
        .iter()
        .zip(provisioner.provision(&wanted, &Progress::new()))
    {
        match tool {
            Ok(tool) => tools.push(tool),
            Err(why) if outline.allow_skip && is_for_the_model(pin.tool) => given_up = Some(why),
            Err(why) => return Err(why),
        }
    }
    if let (LlmChoice::LlamaCpp, Err(why)) = (&outline.llm, python) {
        // Whether a run may do without was decided when the machine was looked at.
        given_up = given_up.or_else(|| Some(anyhow!("{why}")));
    }
    if let Some(why) = given_up {
        output.note(&format!(
            "no model, so tests that need one are skipped: {why:#}"
        ));
        outline.llm = LlmChoice::None;
        tools.retain(|tool| !is_for_the_model(tool.tool));
    }
    Ok(tools)
}

fn is_for_the_model(tool: Tool) -> bool {
    matches!(tool, Tool::LlamaCpp | Tool::Model)
}

/// One line for people: how many, and where from.
pub fn summary(tools: &[Provisioned]) -> String {
    let sources = [
        (Source::Nix, "from Nix"),
        (Source::Cache, "cached"),
        (Source::Path, "on PATH"),
        (Source::Fetched, "fetched"),
    ];
    let counts = sources.map(|(source, text)| {
        let count = tools.iter().filter(|tool| tool.source == source).count();
        (count, text)
    });
    let counts: Vec<_> = counts.into_iter().filter(|(count, _)| *count > 0).collect();
    let origin = match counts[..] {
        [(_, text)] => format!("all {text}"),
        _ => counts
            .iter()
            .map(|(n, text)| format!("{n} {text}"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    format!("{}, {origin}", count(tools.len(), "tool"))
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
            package: None,
        };
        let cached = [tool(Source::Cache), tool(Source::Cache)];
        assert_eq!(summary(&cached), "2 tools, all cached");
        let mixed = [tool(Source::Nix), tool(Source::Fetched)];
        assert_eq!(summary(&mixed), "2 tools, 1 from Nix, 1 fetched");
    }
}
