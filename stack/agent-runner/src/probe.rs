//! `--probe-llm`: whether the model can be used from where this process is, on its network and with its
//! settings. Nothing else is looked at, and no work is taken.

use anyhow::Context as _;

use crate::{llm::LlmClient, settings::LlmSettings};

/// The argument that asks for it.
pub const FLAG: &str = "--probe-llm";

/// Asks and says what is wrong on stderr. Returns the exit code: 0 it can be used, 1 it cannot, 2 wrong
/// settings.
pub fn run() -> i32 {
    let settings = match LlmSettings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("Error: {error}");
            return 2;
        }
    };
    match ask(settings) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("Error: {error:#}");
            1
        }
    }
}

fn ask(settings: LlmSettings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start")?;
    let client = LlmClient::new(settings).context("failed to make an HTTP client for the LLM")?;
    Ok(runtime.block_on(client.lists_default_model())?)
}
