//! `stigmer backend`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{
    api,
    cli::BackendCommand,
    config::{Config, ConfigError},
    render::Screen,
};

/// Shows or chooses the backend.
pub fn execute(command: BackendCommand, screen: &Screen) -> Result<ExitCode> {
    let mut config = Config::load()?;
    match command {
        BackendCommand::Status => {
            let backend = config.backend()?;
            screen.plain("Backend Configuration:");
            screen.plain("─".repeat(37));
            screen.info(format!("  Type: {backend}"));
            if backend == "local" {
                screen.info(format!("  Endpoint: {}", api::server_address()));
            }
            screen.info(format!("  Configuration: {}", config.path()));
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
        }
    }
    Ok(ExitCode::SUCCESS)
}
