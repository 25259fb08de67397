//! `stigmer config`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::{
    cli::ConfigCommand,
    config::{Config, ConfigError},
    render::Screen,
};

/// Reads or changes a setting.
pub fn execute(command: ConfigCommand, screen: &Screen) -> Result<ExitCode> {
    let mut config = Config::load()?;
    match command {
        ConfigCommand::Get { key } => match config.get(&key) {
            Ok(value) => screen.plain(value),
            Err(ConfigError::UnknownKey(key)) => {
                bail!(
                    "Configuration key not found: {key}; use 'stigmer config list' to see available keys"
                )
            }
            Err(other) => return Err(other.into()),
        },
        ConfigCommand::Set { key, value } => {
            config
                .set(&key, &value)
                .context("Failed to set configuration")?;
            config.save()?;
            screen.success(format!("Configuration updated: {key} = {value}"));
            screen.info(format!("Saved to: {}", config.path()));
        }
        ConfigCommand::List => {
            screen.plain(format!("Configuration from {}:", config.path()));
            screen.blank();
            for (key, value) in config.list()? {
                screen.plain(format!("{key} = {value}"));
            }
            screen.blank();
            screen.info("Read one value: stigmer config get <key>");
            screen.info("Change a value: stigmer config set <key> <value>");
        }
        ConfigCommand::Path => screen.plain(config.path()),
    }
    Ok(ExitCode::SUCCESS)
}
