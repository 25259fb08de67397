//! `stigmer backend`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use crate::{
    api,
    cli::BackendCommand,
    config::{Config, ConfigError},
    render::Output,
};

/// Shows or chooses the backend.
pub fn execute(command: BackendCommand, out: &Output) -> Result<ExitCode> {
    let screen = out.screen();
    let mut config = Config::load()?;
    match command {
        BackendCommand::Status => {
            let backend = config.backend()?;
            screen.plain("Backend Configuration:");
            screen.plain("─".repeat(37));
            screen.info(format!("  Type: {backend}"));
            let endpoint = (backend == "local").then(api::server_address);
            if let Some(endpoint) = &endpoint {
                screen.info(format!("  Endpoint: {endpoint}"));
            }
            screen.info(format!("  Configuration: {}", config.path()));
            out.report(&json!({
                "type": backend, "endpoint": endpoint, "configuration": config.path(),
            }));
        }
        BackendCommand::Set { backend } => {
            match config.set("backend.type", &backend) {
                Err(ConfigError::Choice { .. }) => {
                    bail!("Invalid backend type: {backend}; valid types: local, cloud")
                }
                result => result?,
            }
            config.save()?;
            screen.success(format!("Backend set to {backend}"));
            if backend == "local" {
                screen.info("To see whether it runs: stigmer server status");
                screen.info("To start it: stigmer server");
            }
            out.report(&json!({"type": backend, "configuration": config.path()}));
        }
    }
    Ok(ExitCode::SUCCESS)
}
