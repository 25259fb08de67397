//! How commands get to the server.

use anyhow::{Result, bail};

use crate::{
    api::{Api, ApiError, explicit_address},
    config::Config,
    daemon,
    render::Screen,
};

/// Only the local backend can be reached; an error says so before any work is done.
pub fn require_local_backend() -> Result<()> {
    match Config::load()?.backend()?.as_str() {
        "local" => Ok(()),
        other => bail!(
            "the {other} backend is not supported by this stigmer; run 'stigmer backend set local'"
        ),
    }
}

/// Connects to the server of the backend that is chosen.
pub async fn connect() -> Result<Api> {
    require_local_backend()?;
    Ok(Api::connect().await?)
}

/// The connection that an attempt gave. When it gave none and nobody said where the server is, the
/// daemon is started, which is told on `screen`, and connected to.
pub async fn or_start_daemon(attempt: Result<Api, ApiError>, screen: &Screen) -> Result<Api> {
    match attempt {
        Err(ApiError::Unreachable { .. }) if explicit_address().is_none() => {
            daemon::ensure_running(screen).await?;
            Ok(Api::connect().await?)
        }
        attempt => Ok(attempt?),
    }
}
