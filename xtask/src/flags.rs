//! The command line.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use stigmer_e2e_plan::{LlmChoice, Runtime, ServerAddress, Shard, Tier};

use crate::{
    llm::parse_llm,
    pins::Tool,
    verbs::{
        archive::ArchiveVerb, bench::BenchFlags, cassettes::CassettesVerb, chaos::ChaosFlags,
        culprit::CulpritFlags, flaky::FlakyFlags, load::LoadFlags, merge::MergeFlags,
        mutants::MutantsFlags, polluter::PolluterFlags, repro::ReproFlags,
    },
};

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
    /// Make the container images of all parts, and give them to the engine, tagged `e2e`
    Images(StackFlags),
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
    /// Show the recorded answers of models, or record them anew
    #[command(subcommand)]
    Cassettes(CassettesVerb),
    /// Make the report of a run again, or compare two runs
    Report(ReportFlags),
    /// Measure the stack beside something bare, and say what became slower
    Bench(BenchFlags),
    /// Have the stack carry many executions at once, and say where more stops to pay
    Load(LoadFlags),
    /// Let a stack at work suffer, by a seed, and see that nothing is lost
    Chaos(ChaosFlags),
    /// Arm faults in the stack one by one, and see whether the suite notices each
    Mutants(MutantsFlags),
    /// Run tests again and again, and say how often they fail at most
    Flaky(FlakyFlags),
    /// Find the earlier test that makes a test fail
    Polluter(PolluterFlags),
    /// Find the revision that made a test fail
    Culprit(CulpritFlags),
    /// Make one run of the results of several machines: one report, one verdict
    Merge(MergeFlags),
    /// Build once, test on other machines: programs in a file, and back
    #[command(subcommand)]
    Archive(ArchiveVerb),
    /// Make a failure happen again: same seed, same pins, same commit
    Repro(ReproFlags),
}

#[derive(Debug, Args)]
pub struct ReportFlags {
    /// The results folder of the run [default: the last one in results/]
    pub results: Option<Utf8PathBuf>,

    /// Also take pictures of it, into screenshots/ of the folder; needs Chromium
    #[arg(long)]
    pub screenshots: bool,

    /// Two results folders, the older one first
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["results", "screenshots"])]
    pub compare: Vec<Utf8PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum PinsVerb {
    /// Show every pin, and where it is found on this machine
    List,
    /// Read every cached tool again and compare hashes; compare every file that names a pin
    Verify,
    /// Ask the package registries for newer versions
    Update {
        /// Names of pins, as `pins list` shows them [default: all]
        names: Vec<Tool>,
        /// Pin them, once the packages of every platform are measured and this platform's work
        #[arg(long)]
        write: bool,
    },
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

    /// How much of the suite: commit; nightly, which is that and what takes long; or weekly, which is
    /// all of it and what takes an hour
    #[arg(long, default_value_t)]
    pub tier: Tier,

    /// In what the parts run: process, docker (all in containers), or docker:PART,… (only these: temporal,
    /// server, workflow-runner, agent-runner)
    #[arg(long, default_value_t)]
    pub runtime: Runtime,

    /// Start no stack, and ask this server of somebody else instead, <host>:<port>: only tests that
    /// read, and nothing else passes to it
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["runtime", "llm", "keep", "allow_skip"])]
    pub server: Option<ServerAddress>,

    /// For how long a stack idles in the test of that (--tier weekly) [default: 60]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=150))]
    pub idle_minutes: Option<u64>,

    /// Order and draws of the tests [default: random, printed]
    #[arg(long)]
    pub seed: Option<u64>,

    /// Only this part of what is selected, such as 1/3: the parts take about equally long, and are all of
    /// it together
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// The recorded times that balance the shards; the same for each [default: results/history.jsonl]
    #[arg(long, value_name = "FILE", requires = "shard")]
    pub times: Option<Utf8PathBuf>,

    /// How many tests run at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,

    /// Cut the run off from every other machine, and fail when something tries to leave [default: on
    /// CI, where the system permits it]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub hermetic: Option<bool>,

    /// Keep the services afterwards, until Ctrl-C or `cargo xtask down`
    #[arg(long)]
    pub keep: bool,

    #[command(flatten)]
    pub stack: StackFlags,
}

#[derive(Debug, Args)]
pub struct StackFlags {
    /// Which model answers: llama-cpp (the pinned one), ollama (the same, on a running or installed one), none, openai=<base url>,<model>, or replay
    /// (nobody: recorded answers, of fixtures/cassettes or of replay=<folder>)
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

impl StackFlags {
    /// What a verb begins with that has no such flags: this model, and a fresh build.
    pub fn again(llm: LlmChoice) -> Self {
        Self {
            llm,
            results: None,
            allow_skip: false,
            no_build: false,
            explain: false,
        }
    }
}
