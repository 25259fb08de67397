//! The command line.

mod args;
mod server;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};
use clap_complete::Shell;

use crate::render::{OutputFormat, Screen, to_stderr};

pub use args::{
    ApplyArgs, BackendCommand, ConfigCommand, ExecutionCommand, ExecutionKind, NewArgs,
    PhaseFilter, PushArgs, ResourceCommand, RunArgs, SkillCommand,
};

pub use server::{LlmCommand, LogsArgs, ServerArgs, ServerCommand};

/// Makes, applies, and runs Stigmer projects.
#[derive(Debug, Parser)]
#[command(
    name = "stigmer",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Log what happens to standard error.
    #[arg(short, long, global = true)]
    pub debug: bool,
    /// How to report.
    #[arg(short, long, value_enum, default_value_t, global = true)]
    pub output: OutputFormat,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a new project.
    #[command(
        after_help = "Examples:\n  stigmer new my-agents\n  stigmer new my-agents --sdk ~/src/stigmer/stack/sdk"
    )]
    New(NewArgs),
    /// Deploy what a project defines.
    #[command(
        after_help = "Examples:\n  stigmer apply\n  stigmer apply --config ./my-project --dry-run\n  stigmer apply --output json"
    )]
    Apply(ApplyArgs),
    /// Run an agent or a workflow and follow it.
    #[command(
        after_help = "Examples:\n  stigmer run code-reviewer --message 'Review this change'\n  stigmer run code-reviewer --no-follow\n  stigmer run code-reviewer --runtime-env REGION=eu --runtime-env secret:TOKEN=abc\n  stigmer run"
    )]
    Run(RunArgs),
    /// Look at agents and delete them.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer agent list\n  stigmer agent get code-reviewer --output json\n  stigmer agent delete code-reviewer"
    )]
    Agent {
        #[command(subcommand)]
        command: ResourceCommand,
    },
    /// Look at workflows and delete them.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer workflow list\n  stigmer workflow get basic-data-fetch\n  stigmer workflow delete basic-data-fetch"
    )]
    Workflow {
        #[command(subcommand)]
        command: ResourceCommand,
    },
    /// Look at executions, follow, cancel, and delete them.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer execution list --phase in-progress\n  stigmer execution watch aex-01kb3v9f3e8r6t5y4u3i2o1pas\n  stigmer execution cancel wex-01kb3v9f3e8r6t5y4u3i2o1pas"
    )]
    Execution {
        #[command(subcommand)]
        command: ExecutionCommand,
    },
    /// Upload skills.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer skill push ./code-review --tag v1\n  stigmer skill push --dry-run"
    )]
    Skill {
        #[command(subcommand)]
        command: SkillCommand,
    },
    /// Start, stop, and show the local server with everything it needs; without a word, start it.
    #[command(
        after_help = "Examples:\n  stigmer server\n  stigmer server status\n  stigmer server stop"
    )]
    Server(ServerArgs),
    /// Runs what `server start` starts.
    #[command(name = crate::daemon::SUPERVISOR, hide = true)]
    InternalSupervisor,
    /// Read and change settings.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer config list\n  stigmer config set llm.model qwen2.5-coder:7b"
    )]
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Show or choose the backend.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer backend status\n  stigmer backend set local"
    )]
    Backend {
        #[command(subcommand)]
        command: BackendCommand,
    },
    /// Print a script that completes command lines in a shell.
    #[command(after_help = "Examples:\n  stigmer completion bash\n  stigmer completion zsh")]
    Completion {
        /// The shell.
        shell: Shell,
    },
}

impl Cli {
    /// The command line, or the exit code once help, the version, or the error in it is printed.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        let screen = Screen::text();
        Self::try_parse_from(arguments).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                screen.plain(error.render().to_string().trim_end());
                ExitCode::SUCCESS
            }
            ErrorKind::DisplayVersion => {
                let version = stigmer_process::version(env!("CARGO_PKG_VERSION"));
                screen.plain(format!("stigmer {version}"));
                ExitCode::SUCCESS
            }
            _ => {
                to_stderr(&format!(
                    "Error: {}\n",
                    one_line(&error.render().to_string())
                ));
                ExitCode::FAILURE
            }
        })
    }
}

/// The first paragraph of a message of the parser as one line, with where to find help.
fn one_line(message: &str) -> String {
    let words = message
        .trim_start_matches("error: ")
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>();
    format!("{}; see 'stigmer --help'", words.join(" "))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn errors_of_the_command_line_are_one_line() {
        for (line, wanted) in [
            (
                "stigmer frobnicate",
                "unrecognized subcommand 'frobnicate'; see 'stigmer --help'",
            ),
            (
                "stigmer apply --nope",
                "unexpected argument '--nope' found; see 'stigmer --help'",
            ),
            (
                "stigmer config get",
                "the following required arguments were not provided: <KEY>; see 'stigmer --help'",
            ),
        ] {
            assert_eq!(
                one_line(&parse(line).unwrap_err().render().to_string()),
                wanted
            );
        }
    }

    #[test]
    fn debug_is_known_everywhere() {
        assert!(parse("stigmer -d apply").unwrap().debug);
        assert!(parse("stigmer config path --debug").unwrap().debug);
    }

    #[test]
    fn the_output_format_is_known_everywhere() {
        for line in [
            "stigmer -o json agent list",
            "stigmer agent list --output json",
        ] {
            assert_eq!(parse(line).unwrap().output, OutputFormat::Json, "{line}");
        }
    }
}
