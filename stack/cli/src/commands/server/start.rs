//! `stigmer server start` and `restart`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{
    config::Config,
    daemon::{self, Part, Settings, Started, Temporal},
    render::{Output, Screen},
};

/// Starts the daemon; one that runs is stopped before.
pub async fn execute(out: &Output) -> Result<ExitCode> {
    let screen = out.screen();
    let config = configured(screen)?;
    let started = daemon::start(&config, screen)
        .await
        .context("Failed to start server")?;
    show(&started, screen);
    let record = &started.record;
    out.report(&json!({
        "restarted": started.restarted,
        "pid": record.part(Part::Server).and_then(|row| row.process).map(|process| process.pid),
        "supervisor_pid": record.supervisor.pid,
        "address": record.address(),
        "settings": record.settings,
        "parts": record.parts,
        "llm": started.llm,
    }));
    Ok(ExitCode::SUCCESS)
}

/// The settings file; it is written with its defaults when there is none.
fn configured(screen: &Screen) -> Result<Config> {
    let mut config = Config::load()?;
    if !config.path().exists() {
        screen.info("First-time setup: Initializing Stigmer...");
        for key in ["backend.type", "llm.provider", "temporal.managed"] {
            let default = config.get(key)?;
            config.set(key, &default)?;
        }
        config.save()?;
        screen.success(format!("Created configuration at {}", config.path()));
    }
    Ok(config)
}

fn show(started: &Started, screen: &Screen) {
    let record = &started.record;
    let settings = &record.settings;
    match daemon::llm_warning(&settings.llm, &started.llm) {
        Some(warning) => screen.warning(warning),
        None => screen.success(format!(
            "Using {} with model {}",
            settings.llm.provider, settings.llm.model
        )),
    }
    screen.blank();
    screen.success("Ready! Stigmer server is running");
    if let Some(process) = record.part(Part::Server).and_then(|row| row.process) {
        screen.info(format!("  PID:  {}", process.pid));
    }
    screen.info(format!("  Port: {}", settings.api.port));
    screen.info(format!("  Data: {}", settings.layout.data()));
    screen.info("Settings:");
    for (name, value) in effective(settings) {
        screen.info(format!("  {:<11}{value}", format!("{name}:")));
    }
    if let Temporal::Managed(managed) = &settings.temporal {
        screen.info("Web UI:");
        screen.info(format!("  Temporal:  http://localhost:{}", managed.ui_port));
    }
}

/// Every setting in force, as the parts were told.
fn effective(settings: &Settings) -> Vec<(&'static str, String)> {
    let temporal = match &settings.temporal {
        Temporal::Managed(managed) => format!(
            "{} (managed, {} {})",
            settings.temporal.address(),
            managed.program,
            managed.version
        ),
        Temporal::External { address } => format!("{address} (external)"),
    };
    let queues = |part: Part| settings.queues_of(part).collect::<Vec<_>>().join(", ");
    let llm = &settings.llm;
    vec![
        (
            "API",
            format!("{}:{}", settings.api.host, settings.api.port),
        ),
        ("Database", settings.db_path.to_string()),
        ("Storage", settings.storage_path.to_string()),
        ("Temporal", temporal),
        ("Namespace", settings.namespace.clone()),
        (
            "Queues",
            [Part::Server, Part::WorkflowRunner, Part::AgentRunner]
                .map(queues)
                .join(", "),
        ),
        (
            "LLM",
            format!("{} {} at {}", llm.provider, llm.model, llm.api()),
        ),
    ]
}
