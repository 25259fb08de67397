//! Whose Temporal: one that the daemon runs, or one that runs anyway.

use std::{env, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_process::{SettingError, number, text};
use tokio::{process::Command, time::timeout};

use super::{SettingsError, programs::absolute};
use crate::{
    config::Config,
    daemon::{
        Layout,
        port::{Wanted, reserve},
    },
};

/// The earliest release that knows every option the daemon uses.
const EARLIEST: &str = "1.5.1";
/// How long it may take to say its version.
const ANSWER: Duration = Duration::from_secs(10);

/// Whose Temporal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Temporal {
    /// The daemon's own.
    Managed(Managed),
    /// Somebody else's.
    External {
        /// `host:port`.
        address: String,
    },
}

/// A Temporal that the daemon runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managed {
    /// The Temporal CLI.
    pub program: Utf8PathBuf,
    /// What it says its version is.
    pub version: String,
    /// Its port, never 0.
    pub port: u16,
    /// The port of its web pages, never 0.
    pub ui_port: u16,
}

impl Temporal {
    /// What is in force for the user. The ports of a managed one are free at this moment.
    pub async fn resolve(config: &Config, layout: &Layout) -> Result<Self, SettingsError> {
        if let Some(address) = external_address(config)? {
            return Ok(Self::External { address });
        }
        let program = find(&layout.home().join("bin/temporal"))?;
        let version = version_of(&program).await?;
        let configured = config.get("temporal.port")?;
        let configured = configured.parse().map_err(|_| SettingError {
            variable: "temporal.port",
            value: configured,
            expected: "a port",
        })?;
        let port = |what, variable, default| {
            let port = number(variable, default)?;
            let host = "127.0.0.1";
            Ok::<_, SettingsError>(reserve(Wanted {
                what,
                variable,
                host,
                port,
            })?)
        };
        Ok(Self::Managed(Managed {
            port: port("Temporal", "STIGMER_TEMPORAL_PORT", configured)?,
            ui_port: port("Temporal's web pages", "STIGMER_TEMPORAL_UI_PORT", 8233)?,
            program,
            version,
        }))
    }

    /// Its frontend, `host:port`.
    pub fn address(&self) -> String {
        match self {
            Self::Managed(managed) => format!("127.0.0.1:{}", managed.port),
            Self::External { address } => address.clone(),
        }
    }
}

fn external_address(config: &Config) -> Result<Option<String>, SettingsError> {
    match (text("TEMPORAL_SERVICE_ADDRESS"), text("TEMPORAL_HOST_PORT")) {
        (Some(parts), Some(server)) if parts != server => {
            return Err(SettingsError::TwoTemporals { parts, server });
        }
        (Some(address), _) | (None, Some(address)) => return Ok(Some(address)),
        (None, None) => {}
    }
    if config.get("temporal.managed")? == "true" {
        return Ok(None);
    }
    let address = config.get("temporal.address")?;
    match address.is_empty() {
        true => Err(SettingsError::NoAddress),
        false => Ok(Some(address)),
    }
}

fn find(own: &Utf8Path) -> Result<Utf8PathBuf, SettingsError> {
    const VARIABLE: &str = "STIGMER_TEMPORAL_BIN";
    if let Some(path) = text(VARIABLE).map(|path| absolute(path.into())) {
        return match path.is_file() {
            true => Ok(path),
            false => Err(SettingsError::Program {
                what: "the Temporal CLI",
                path,
                variable: VARIABLE,
            }),
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let candidates = env::split_paths(&path)
        .filter_map(|folder| Utf8PathBuf::from_path_buf(folder.join("temporal")).ok())
        .chain([own.to_owned()]);
    candidates
        .into_iter()
        .map(absolute)
        .find(|path| path.is_file())
        .ok_or_else(|| SettingsError::NoTemporal {
            path: own.to_owned(),
        })
}

async fn version_of(program: &Utf8Path) -> Result<String, SettingsError> {
    let refused = |reason: String| SettingsError::TemporalVersion {
        program: program.to_owned(),
        reason,
        wanted: EARLIEST,
    };
    let mut command = Command::new(program);
    command.arg("--version").kill_on_drop(true);
    let output = timeout(ANSWER, command.output())
        .await
        .map_err(|_| refused(format!("it did not say its version within {ANSWER:?}")))?
        .map_err(|error| refused(format!("it cannot be run: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = parse_version(&text)
        .ok_or_else(|| refused(format!("asked for its version, it says {:?}", text.trim())))?;
    match is_usable(&version) {
        true => Ok(version),
        false => Err(refused(format!("its version is {version}"))),
    }
}

/// `1.9.1` in `temporal version 1.9.1 (Server 1.32.0, UI 2.49.1)`.
fn parse_version(text: &str) -> Option<String> {
    let version = text.trim().strip_prefix("temporal version ")?;
    Some(version.split_whitespace().next()?.to_owned())
}

fn is_usable(version: &str) -> bool {
    let numbers = |version: &str| -> Option<[u32; 3]> {
        let mut parts = version.split(['.', '-', '+']).map(str::parse);
        Some([
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
        ])
    };
    numbers(version).is_some_and(|n| n[0] == 1 && Some(n) >= numbers(EARLIEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_cli_says() {
        let text = "temporal version 1.9.1 (Server 1.32.0, UI 2.49.1)\n";
        assert_eq!(parse_version(text).as_deref(), Some("1.9.1"));
        assert_eq!(parse_version("tctl 1.18"), None);
    }

    #[test]
    fn releases_from_the_earliest_on_are_used() {
        for good in ["1.5.1", "1.9.1", "1.10.0-rc.1"] {
            assert!(is_usable(good), "{good}");
        }
        for bad in ["1.5.0", "0.13.2", "2.0.0", "DEV"] {
            assert!(!is_usable(bad), "{bad}");
        }
    }
}
