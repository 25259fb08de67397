//! How commands get to the server.

use anyhow::{Result, bail};

use crate::{api::Api, config::Config};

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
