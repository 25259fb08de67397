//! What `stigmer server` takes.

use clap::{ArgAction, Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ServerArgs {
    #[command(subcommand)]
    command: Option<ServerCommand>,
}

impl ServerArgs {
    /// What to do; to start it, unless told otherwise.
    pub fn into_command(self) -> ServerCommand {
        self.command.unwrap_or(ServerCommand::Start)
    }
}

#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Start Temporal, the server, and the runners, and return once all of it works.
    Start,
    /// Stop all of it.
    Stop,
    /// Stop and start again.
    Restart,
    /// Show how everything stands; exit code 0 when it runs, 3 when it is stopped, 1 otherwise.
    Status,
    /// Show the logs.
    #[command(
        after_help = "Examples:\n  stigmer server logs\n  stigmer server logs --component agent-runner --tail 200\n  stigmer server logs --follow=false"
    )]
    Logs(LogsArgs),
    /// Look at the model's server.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  stigmer server llm status\n  stigmer server llm pull qwen2.5-coder:7b"
    )]
    Llm {
        #[command(subcommand)]
        command: LlmCommand,
    },
}

#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Go on showing what is added.
    #[arg(
        short,
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    pub follow: bool,
    /// How many of the last lines to begin with; 0 shows all.
    #[arg(short = 'n', long, value_name = "LINES", default_value_t = 50)]
    pub tail: usize,
    /// Only one component: stigmer-server, workflow-runner, agent-runner, temporal, or supervisor.
    #[arg(short, long, value_name = "NAME")]
    pub component: Option<String>,
    /// All components, interleaved by time; otherwise the server's log, unless one is named.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub enum LlmCommand {
    /// Show whether it answers.
    Status,
    /// List its models.
    List,
    /// Have a local one fetch a model.
    Pull { model: String },
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::{Cli, Command};

    use super::*;

    fn parse(line: &str) -> ServerCommand {
        match Cli::try_parse_from(line.split_whitespace())
            .unwrap()
            .command
        {
            Command::Server(args) => args.into_command(),
            other => panic!("not a server command: {other:?}"),
        }
    }

    #[test]
    fn to_start_is_the_default() {
        assert!(matches!(parse("stigmer server"), ServerCommand::Start));
        assert!(matches!(
            parse("stigmer server start"),
            ServerCommand::Start
        ));
        assert!(Cli::try_parse_from(["stigmer", "server", "begin"]).is_err());
    }

    #[test]
    fn logs_follow_unless_told_otherwise() {
        for (line, follow, tail) in [
            ("stigmer server logs", true, 50),
            ("stigmer server logs -f -n 0", true, 0),
            ("stigmer server logs --follow=false --tail 7", false, 7),
        ] {
            let ServerCommand::Logs(args) = parse(line) else {
                panic!("{line}");
            };
            assert_eq!((args.follow, args.tail), (follow, tail), "{line}");
        }
    }
}
