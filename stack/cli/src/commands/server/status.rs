//! `stigmer server status`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::STOPPED;
use crate::{
    api::{Api, explicit_address},
    daemon::{
        self, Layout, LlmSettings, LlmState, Overall, Part, PartStatus, Status, temporal_works,
    },
    render::{Output, Screen},
};

/// Shows the daemon; with `STIGMER_SERVER_ADDR`, the server at that address.
pub async fn execute(out: &Output) -> Result<ExitCode> {
    if let Some(address) = explicit_address() {
        return of_address(&address, out).await;
    }
    let status = Status::of(&Layout::of_user()?).await;
    show(&status, out.screen());
    out.report(&status);
    Ok(match status.state {
        Overall::Running => ExitCode::SUCCESS,
        Overall::Starting | Overall::Broken | Overall::Stopping => ExitCode::FAILURE,
        Overall::Stopped => ExitCode::from(STOPPED),
    })
}

async fn of_address(address: &str, out: &Output) -> Result<ExitCode> {
    // It answers, or the command ends here.
    Api::connect().await?;
    let temporal = temporal_works(address.trim_start_matches("http://")).await;
    let screen = out.screen();
    head(screen);
    screen.info("Stigmer Server:");
    screen.info("  Status:   Running ✓");
    screen.info(format!("  Address:  {}", address));
    match &temporal {
        Ok(()) => screen.info("  Temporal: Connected ✓"),
        Err(reason) => screen.warning(format!("  Temporal: Not connected ✗ ({reason})")),
    }
    out.report(&json!({
        "state": "running", "address": address, "temporal": {"connected": temporal.is_ok()},
    }));
    Ok(ExitCode::SUCCESS)
}

fn head(screen: &Screen) {
    screen.plain("Stigmer Server Status:");
    screen.plain("─".repeat(37));
}

fn show(status: &Status, screen: &Screen) {
    head(screen);
    match status.state {
        Overall::Running => {}
        Overall::Starting => screen.info("  Status: ↻ Starting"),
        Overall::Broken => screen.warning("  Status: ✗ The API does not answer"),
        Overall::Stopping => screen.info("  Status: ↻ Stopping"),
        Overall::Stopped => {
            screen.warning("  Status: ✗ Stopped");
            screen.info("To start:");
            screen.info("  stigmer server");
            return;
        }
    }
    match status.supervisor {
        None => screen.warning("  Supervisor: Failed ✗✗ (killed); 'stigmer server stop' cleans up"),
        Some(supervisor) if supervisor.frozen => {
            screen.warning(format!(
                "  Supervisor: Unhealthy ✗ (process {} is frozen)",
                supervisor.pid
            ));
        }
        Some(_) => {}
    }
    for part in parts_in_order(&status.parts) {
        screen.info(format!("{}:", part.part.title()));
        screen.info(format!("  Status:   {}", part.state.label()));
        if let Some(pid) = part.pid {
            screen.info(format!("  PID:      {pid}"));
        }
        screen.info(format!("  Restarts: {}", part.restarts));
        if let Some(failure) = &part.last_failure {
            screen.warning(format!(
                "  Failure:  {}",
                failure.lines().next().unwrap_or_default()
            ));
        }
    }
    let Some(record) = &status.record else {
        return;
    };
    let settings = &record.settings;
    screen.info("Server Details:");
    screen.info(format!("  Port:   {}", settings.api.port));
    screen.info(format!("  Data:   {}", settings.layout.data()));
    if let Some(llm) = &status.llm {
        screen.info("LLM Configuration:");
        show_llm(&settings.llm, llm, screen);
    }
    if let Some(temporal) = &status.temporal {
        let connected = match temporal.connected {
            true => "Connected ✓",
            false => "Not connected ✗",
        };
        screen.info(format!("Temporal at {}: {connected}", temporal.address));
        if let Some(ui) = &temporal.ui {
            screen.info("Web UI:");
            screen.info(format!("  Temporal:  {ui}"));
        }
    }
    screen.info(match status.supervisor {
        Some(supervisor) if !supervisor.frozen => "Health Monitoring: ✓ Active",
        _ => "Health Monitoring: ✗ Not active",
    });
}

/// The server first, as people look for it.
fn parts_in_order(parts: &[PartStatus]) -> Vec<&PartStatus> {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|row| row.part != Part::Server);
    parts
}

/// The lines about the model.
pub(super) fn show_llm(llm: &LlmSettings, state: &LlmState, screen: &Screen) {
    let provider = llm.provider;
    match state {
        LlmState::Reachable { .. } => screen.info(format!("  Provider: {provider} ✓ Running")),
        LlmState::Unreachable { .. } => {
            screen.warning(format!("  Provider: {provider} ✗ Not Running"));
        }
        LlmState::NotAsked { .. } => screen.info(format!("  Provider: {provider} (Cloud)")),
    }
    screen.info(format!("  Address:  {}", llm.api()));
    screen.info(format!("  Model:    {}", llm.model));
    if let LlmState::Reachable { models } = state {
        screen.info(format!("  Available: {}", models.join(", ")));
    }
    if let Some(warning) = daemon::llm_warning(llm, state) {
        screen.warning(format!("  {warning}"));
    }
}
