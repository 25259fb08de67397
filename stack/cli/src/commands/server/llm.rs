//! `stigmer server llm`.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::status::show_llm;
use crate::{
    cli::LlmCommand,
    config::Config,
    daemon::{self, LlmSettings, LlmState, Provider},
    render::Output,
};

/// Looks at the model's server, or has it fetch a model.
pub async fn execute(command: LlmCommand, out: &Output) -> Result<ExitCode> {
    let llm = LlmSettings::without_key(&Config::load()?)?;
    match command {
        LlmCommand::Status => status(&llm, out).await,
        LlmCommand::List => list(&llm, out).await,
        LlmCommand::Pull { model } => pull(&llm, &model, out).await,
    }
}

async fn status(llm: &LlmSettings, out: &Output) -> Result<ExitCode> {
    let state = LlmState::of(llm).await;
    let screen = out.screen();
    screen.info("LLM Configuration:");
    show_llm(llm, &state, screen);
    out.report(&json!({"settings": llm, "llm": state}));
    Ok(match state {
        LlmState::Unreachable { .. } => ExitCode::FAILURE,
        LlmState::Reachable { .. } | LlmState::NotAsked { .. } => ExitCode::SUCCESS,
    })
}

async fn list(llm: &LlmSettings, out: &Output) -> Result<ExitCode> {
    let models = daemon::models(llm)
        .await
        .context("The LLM server is not running")?;
    let screen = out.screen();
    if models.is_empty() {
        screen.info("No models installed");
    } else {
        screen.plain("Available Models:");
        screen.plain("─".repeat(37));
    }
    for model in &models {
        match *model == llm.model {
            true => screen.success(format!("  {model} (current)")),
            false => screen.info(format!("  {model}")),
        }
    }
    out.report(&json!({"models": models, "current": llm.model}));
    Ok(ExitCode::SUCCESS)
}

async fn pull(llm: &LlmSettings, model: &str, out: &Output) -> Result<ExitCode> {
    if llm.provider != Provider::Ollama {
        bail!(
            "Local model management is only available for local LLM provider (llm.provider is {})",
            llm.provider
        );
    }
    let screen = out.screen();
    screen.info(format!("Pulling model {model}..."));
    let mut last = String::new();
    daemon::pull(llm, model, |step| {
        if step != last {
            last = step.to_owned();
            screen.info(format!("  {step}"));
        }
    })
    .await
    .with_context(|| format!("failed to pull {model}"))?;
    screen.success(format!("Model {model} is ready"));
    out.report(&json!({"model": model, "ready": true}));
    Ok(ExitCode::SUCCESS)
}
