//! `stigmer server`.

mod llm;
mod logs;
mod start;
mod status;

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::{
    cli::ServerCommand,
    daemon::{self, Stopped},
    render::Output,
};

/// What a stopped daemon ends `status` with.
const STOPPED: u8 = 3;

/// Starts, stops, or shows the daemon.
pub async fn execute(command: ServerCommand, out: &Output) -> Result<ExitCode> {
    match command {
        ServerCommand::Start | ServerCommand::Restart => start::execute(out).await,
        ServerCommand::Stop => stop(out).await,
        ServerCommand::Status => status::execute(out).await,
        ServerCommand::Logs(args) => logs::execute(&args, out).await,
        ServerCommand::Llm { command } => llm::execute(command, out).await,
    }
}

async fn stop(out: &Output) -> Result<ExitCode> {
    let screen = out.screen();
    let stopped = daemon::stop(|| screen.info("Stopping server...")).await?;
    let was_running = match stopped {
        Stopped::NothingRan => {
            screen.info("Server is not running");
            false
        }
        Stopped::Gracefully => {
            screen.success("Server stopped successfully");
            true
        }
        Stopped::Forcibly => {
            screen.warning("Server stopped; processes that were left over had to be killed");
            true
        }
    };
    out.report(&json!({
        "was_running": was_running, "forced": stopped == Stopped::Forcibly,
    }));
    Ok(ExitCode::SUCCESS)
}
