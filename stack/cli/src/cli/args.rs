//! What the commands take.

use camino::Utf8PathBuf;
use clap::{ArgAction, Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub struct NewArgs {
    /// The project's name and the directory to make [default: the current directory, which is empty].
    pub name: Option<String>,
    /// Depend on the SDK in this directory instead of a copy of it in the project.
    #[arg(long, value_name = "DIR")]
    pub sdk: Option<Utf8PathBuf>,
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
}

impl RunArgs {
    /// Whether to show the execution until it ends.
    pub fn follow(&self) -> bool {
        self.follow && !self.no_follow
    }
}

/// What can be done with agents, and likewise with workflows.
#[derive(Debug, Subcommand)]
pub enum ResourceCommand {
    /// List them.
    List {
        /// The organization to look in.
        #[arg(long)]
        org: Option<String>,
    },
    /// Show one.
    Get {
        /// Name or id.
        target: String,
        /// The organization to look in.
        #[arg(long)]
        org: Option<String>,
    },
    /// Delete one.
    Delete {
        /// Name or id.
        target: String,
        /// The organization to look in.
        #[arg(long)]
        org: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum ExecutionCommand {
    /// List the latest.
    List {
        /// Only executions of agents, or only of workflows.
        #[arg(long, value_enum)]
        kind: Option<ExecutionKind>,
        /// Only executions in this phase.
        #[arg(long, value_enum)]
        phase: Option<PhaseFilter>,
        /// How many at most; 0 means all.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Show one.
    Get {
        /// Its id.
        id: String,
    },
    /// Follow one until it ends.
    Watch {
        /// Its id.
        id: String,
    },
    /// End one that is under way.
    Cancel {
        /// Its id.
        id: String,
    },
    /// Delete one, ending it if it is under way.
    Delete {
        /// Its id.
        id: String,
    },
}

/// What an execution is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExecutionKind {
    Agent,
    Workflow,
}

/// A phase to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PhaseFilter {
    Pending,
    InProgress,
    Completed,
    Failed,
    Cancelled,
}

#[derive(Debug, Subcommand)]
pub enum SkillCommand {
    /// Upload a directory with a SKILL.md as a skill, or as a new version of it.
    Push(PushArgs),
}

#[derive(Debug, Args)]
pub struct PushArgs {
    /// The skill's directory, whose name is the skill's [default: the current directory].
    pub dir: Option<Utf8PathBuf>,
    /// What to call this version.
    #[arg(long, default_value = "latest")]
    pub tag: String,
    /// The organization to push to.
    #[arg(long)]
    pub org: Option<String>,
    /// Show what would be pushed, without a server.
    #[arg(long)]
    pub dry_run: bool,
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn run_args(line: &str) -> RunArgs {
        match Cli::try_parse_from(line.split_whitespace())
            .unwrap()
            .command
        {
            Command::Run(args) => args,
            other => panic!("not a run: {other:?}"),
        }
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
}
