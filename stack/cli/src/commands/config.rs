//! `stigmer config`.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::{
    cli::ConfigCommand,
    config::{Config, ConfigError},
    render::Output,
};

/// Reads or changes a setting.
pub fn execute(command: ConfigCommand, out: &Output) -> Result<ExitCode> {
    let screen = out.screen();
    let mut config = Config::load()?;
    match command {
        ConfigCommand::Get { key } => match config.get(&key) {
            Ok(value) => {
                screen.plain(&value);
                out.report(&json!({"key": key, "value": value}));
            }
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
            out.report(&json!({"key": key, "value": value, "path": config.path()}));
        }
        ConfigCommand::List => {
            screen.plain(format!("Configuration from {}:", config.path()));
            screen.blank();
            let settings = config.list()?.into_iter().collect::<BTreeMap<_, _>>();
            for (key, value) in &settings {
                screen.plain(format!("{key} = {value}"));
            }
            screen.blank();
            screen.info("Read one value: stigmer config get <key>");
            screen.info("Change a value: stigmer config set <key> <value>");
            out.report(&json!({"path": config.path(), "settings": settings}));
        }
        ConfigCommand::Path => {
            screen.plain(config.path());
            out.report(&json!({"path": config.path()}));
        }
    }
    Ok(ExitCode::SUCCESS)
}
