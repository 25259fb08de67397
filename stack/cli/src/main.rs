//! `stigmer`: applies projects to a Stigmer server and runs what they define.

mod api;
mod cli;
mod commands;
mod config;
mod project;
mod render;

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use cli::{Cli, Command};
use render::Screen;

fn main() -> ExitCode {
    let cli = match Cli::from_arguments(std::env::args_os()) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    if cli.debug {
        tracing_subscriber::fmt()
            .with_env_filter("warn,stigmer=debug")
            .with_writer(std::io::stderr)
            .init();
    }
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return report(&anyhow::Error::new(error).context("failed to start")),
    };
    let result = runtime.block_on(async {
        // The command comes first: following an execution has its own answer to Ctrl-C. Whatever
        // else is under way is dropped, and with it every process it started.
        tokio::select! {
            biased;
            result = execute(cli) => result,
            code = ending_signal() => code,
        }
    });
    // A thread that waits for a file lock or for the keyboard must not hold up the end.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| report(&error))
}

async fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Apply(args) => commands::apply::execute(args).await,
        Command::Run(args) => commands::run::execute(args).await,
        Command::Config { command } => commands::config::execute(command, &Screen::text()),
        Command::Backend { command } => commands::backend::execute(command, &Screen::text()),
    }
}

/// Resolves to the exit code of a process that was asked to end.
async fn ending_signal() -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(ExitCode::from(tokio::select! {
        _ = interrupt.recv() => commands::INTERRUPTED,
        _ = terminate.recv() => 143,
        _ = hangup.recv() => 129,
    }))
}

/// The first line on standard error is the error; what follows is help.
fn report(error: &anyhow::Error) -> ExitCode {
    render::to_stderr(&format!("Error: {error:#}\n"));
    tracing::debug!(?error, "failed");
    ExitCode::FAILURE
}
