//! The command line.

use std::{ffi::OsString, process::ExitCode};

use camino::Utf8PathBuf;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::render::{Screen, to_stderr};

/// Applies Stigmer projects and runs their agents and workflows.
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
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
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
    /// Read and change settings.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer config list\n  stigmer config set llm.model smollm2"
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
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Stigmer.yaml, or the directory that holds it [default: the current directory].
    #[arg(long, value_name = "PATH")]
    pub config: Option<Utf8PathBuf>,
    /// Show what would be deployed, without a server.
    #[arg(long)]
    pub dry_run: bool,
    /// The organization to deploy to.
    #[arg(long)]
    pub org: Option<String>,
    /// How to report.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Name or id of an agent or workflow [default: the project's only one].
    pub target: Option<String>,
    /// What to tell it.
    #[arg(
        long,
        default_value = "execute",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub message: String,
    /// A variable of the execution, KEY=VALUE or secret:KEY=VALUE; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub runtime_env: Vec<String>,
    /// Show the execution until it ends.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        action = ArgAction::Set,
        overrides_with = "no_follow"
    )]
    follow: bool,
    /// Start the execution only.
    #[arg(long, overrides_with = "follow")]
    no_follow: bool,
    /// The organization to look in.
    #[arg(long)]
    pub org: Option<String>,
    /// How to report.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,
}

impl RunArgs {
    /// Whether to show the execution until it ends.
    pub fn follow(&self) -> bool {
        self.follow && !self.no_follow
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object on standard output.
    Json,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the value of a key.
    Get { key: String },
    /// Change a key.
    Set { key: String, value: String },
    /// Print all keys and values.
    List,
    /// Print where the settings are kept.
    Path,
}

#[derive(Debug, Subcommand)]
pub enum BackendCommand {
    /// Show the backend.
    Status,
    /// Choose the backend: local or cloud.
    Set {
        #[arg(value_name = "TYPE")]
        backend: String,
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
                let (version, build) = (env!("CARGO_PKG_VERSION"), stigmer_process::build_id());
                screen.plain(format!("stigmer {version} (build {build})"));
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

    fn run_args(line: &str) -> RunArgs {
        match parse(line).unwrap().command {
            Command::Run(args) => args,
            other => panic!("not a run: {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn following_is_the_default_and_every_form_of_the_flag_parses() {
        for (line, follow) in [
            ("stigmer run", true),
            ("stigmer run x --follow", true),
            ("stigmer run --follow x", true),
            ("stigmer run x --follow=true", true),
            ("stigmer run x --follow=false", false),
            ("stigmer run x --no-follow", false),
            ("stigmer run x --no-follow --follow", true),
        ] {
            assert_eq!(run_args(line).follow(), follow, "{line}");
        }
        assert_eq!(
            run_args("stigmer run --follow x").target.as_deref(),
            Some("x")
        );
    }

    #[test]
    fn the_message_defaults_and_may_start_with_a_hyphen() {
        assert_eq!(run_args("stigmer run").message, "execute");
        assert_eq!(run_args("stigmer run --message -x").message, "-x");
    }

    #[test]
    fn variables_are_repeated_not_split() {
        let args =
            run_args("stigmer run --runtime-env A=1,2 --runtime-env secret:B=2=3 --runtime-env C=");
        assert_eq!(args.runtime_env, ["A=1,2", "secret:B=2=3", "C="]);
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
}
