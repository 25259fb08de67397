//! The command line.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use stigmer_e2e_plan::{LlmChoice, Tier};

use crate::{pins::Tool, plan::parse_llm, verbs::repro::ReproFlags};

/// End-to-end tests of the Stigmer stack, from a bare machine to a verdict.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub struct Flags {
    #[command(subcommand)]
    pub verb: Verb,

    /// Print JSON, one object per line
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the suite: plan, provision, build, doctor, up, test, collect, down
    E2e(RunFlags),
    /// Start the stack's services and keep them
    Up(StackFlags),
    /// Stop what `up` started
    Down,
    /// Show what `up` started, and whether it works
    Status,
    /// Show the logs of what `up` started
    Logs(LogsFlags),
    /// Check what this machine needs, and say how to get what is missing
    Doctor {
        /// Get it: fetch pinned tools, build, and, as root on Debian, install packages
        #[arg(long)]
        fix: bool,
    },
    /// Run everything that must hold: format, lints, unit tests, suite
    Test(RunFlags),
    /// Check the flake without the network: it parses, is locked, and evaluates on every system
    NixCheck {
        /// Also build and try every pinned tool as the flake makes it; fetches all packages anew
        #[arg(long)]
        build: bool,
    },
    /// Show, fetch, or verify the pinned tools of `pins.json`
    #[command(subcommand)]
    Pins(PinsVerb),
    /// Make the report of a run again, or compare two runs
    Report(ReportFlags),
    /// Make a failure happen again: same seed, same pins, same commit
    Repro(ReproFlags),
}

#[derive(Debug, Args)]
pub struct ReportFlags {
    /// The results folder of the run [default: the last one in results/]
    pub results: Option<Utf8PathBuf>,

    /// Two results folders, the older one first
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with = "results")]
    pub compare: Vec<Utf8PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum PinsVerb {
    /// Show every pin, and where it is found on this machine
    List,
    /// Read every cached tool again and compare hashes; compare every file that names a pin
    Verify,
    /// Fetch what is not here yet
    Fetch {
        /// Names of pins, as `pins list` shows them [default: all]
        names: Vec<Tool>,
    },
}

#[derive(Debug, Args)]
pub struct LogsFlags {
    /// The service; all of them if none is named
    pub service: Option<String>,

    /// How many lines of each log
    #[arg(short = 'n', long, default_value_t = 50)]
    pub lines: usize,

    /// Go on showing what is added
    #[arg(short, long)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct RunFlags {
    /// Which tests: scenario ids (APP-01), their areas (APP), or parts of test names [default: all]
    pub filters: Vec<String>,

    /// How much of the suite: commit, or nightly, which is that and what takes long
    #[arg(long, default_value_t)]
    pub tier: Tier,

    /// Order and draws of the tests [default: random, printed]
    #[arg(long)]
    pub seed: Option<u64>,

    /// How many tests run at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,

    /// Keep the services and the tests' folders afterwards
    #[arg(long)]
    pub keep: bool,

    #[command(flatten)]
    pub stack: StackFlags,
}

#[derive(Debug, Args)]
pub struct StackFlags {
    /// Which model answers: llama-cpp (the pinned one), none, or openai=<base url>,<model>
    #[arg(long, default_value = "llama-cpp", value_parser = parse_llm)]
    pub llm: LlmChoice,

    /// Where results go: a folder that is new or empty [default: results/<run id>]
    #[arg(long, value_name = "DIR")]
    pub results: Option<Utf8PathBuf>,

    /// Skip, and count, the tests that need a missing model, instead of failing
    #[arg(long)]
    pub allow_skip: bool,

    /// Use the binaries of the last build, if no source is newer
    #[arg(long)]
    pub no_build: bool,

    /// Show what would happen, and stop
    #[arg(long)]
    pub explain: bool,
}
