//! `stigmer`: makes projects, applies them to a Stigmer server, and runs what they define.
//!
//! A library so that what reads other people's files can be tested from outside: [`parse_agent`] and
//! [`parse_workflow`] for what programs write, [`Project::parse`] for Stigmer.yaml.

mod api;
mod cli;
mod commands;
mod config;
mod daemon;
mod project;
mod render;

use std::{io::IsTerminal as _, process::ExitCode};

pub use project::{Project, ProjectError, Runtime, parse_agent, parse_workflow};
use tokio::signal::unix::{SignalKind, signal};

use cli::{Cli, Command};
use render::Output;

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::from_arguments(std::env::args_os()) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    if let Command::InternalSupervisor = cli.command {
        // It has a log, signals, and an end of its own.
        return daemon::supervisor_main();
    }
    if cli.debug {
        tracing_subscriber::fmt()
            .with_env_filter("warn,stigmer_cli=debug")
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
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
    let out = Output::new(cli.output);
    match cli.command {
        Command::New(args) => commands::new::execute(&args, &out),
        Command::Apply(args) => commands::apply::execute(args, &out).await,
        Command::Run(args) => commands::run::execute(args, &out).await,
        Command::Agent { command } => commands::resource::agents(command, &out).await,
        Command::Workflow { command } => commands::resource::workflows(command, &out).await,
        Command::Execution { command } => commands::execution::execute(command, &out).await,
        Command::Skill { command } => commands::skill::execute(command, &out).await,
        Command::Server(args) => commands::server::execute(args.into_command(), &out).await,
        Command::InternalSupervisor => unreachable!("it runs without this runtime"),
        Command::Config { command } => commands::config::execute(command, &out),
        Command::Backend { command } => commands::backend::execute(command, &out),
        Command::Completion { shell } => commands::completion::execute(shell, &out),
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
    stigmer_fault::inject!(ExitZero, { return ExitCode::SUCCESS });
    ExitCode::FAILURE
}
