//! `stigmer-e2e`: carries out the plan that `cargo xtask` resolved, and looks after what is up.

mod bench;
mod driver;
mod results;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use serde::Deserialize;
use stigmer_e2e::session::Session;
use stigmer_e2e_flakes::{FlakyPlan, PolluterPlan, Stress};
use stigmer_e2e_plan::{ExitCode, Hermetic, Output, Plan, exit_code_of, read_json};

/// Carries out the plan that `cargo xtask` resolved
#[derive(Debug, Parser)]
#[command(name = "stigmer-e2e", version)]
struct Flags {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON, one object per line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Services up, suite, results, services down
    Run {
        #[command(flatten)]
        file: PlanFile,
        /// This process is the one that a warden watches
        #[arg(long, hide = true)]
        guarded: bool,
        #[command(flatten)]
        cut: driver::Cut,
    },
    /// Whether a process can be cut off from every other machine
    #[command(hide = true)]
    TryToCutOff {
        /// For files that take the place of the system's
        folder: Utf8PathBuf,
    },
    /// The same tests in round after round, until there is enough evidence
    Flaky {
        #[command(flatten)]
        file: PlanFile,
        /// This process is the one that a warden watches
        #[arg(long, hide = true)]
        guarded: bool,
    },
    /// Which earlier tests make a test fail
    Polluter {
        #[command(flatten)]
        file: PlanFile,
        /// This process is the one that a warden watches
        #[arg(long, hide = true)]
        guarded: bool,
    },
    /// Make one of the results folders of several machines
    Merge {
        /// The results folders
        #[arg(required = true)]
        folders: Vec<Utf8PathBuf>,
        /// Where the whole goes
        #[arg(long)]
        into: Utf8PathBuf,
        #[command(flatten)]
        checkout: Checkout,
    },
    /// The table and the verdict of a run that measured
    Bench(bench::Flags),
    /// The tables and the verdict of a run that put the stack under load
    Load(bench::LoadFlags),
    /// Keep the machine busy until killed
    #[command(hide = true)]
    Stress {
        /// `cpu`, `memory`, or `disk`
        kind: Stress,
        /// Where files are written
        #[arg(long)]
        folder: Utf8PathBuf,
    },
    /// Images of the parts made, and given to the engine
    Images(PlanFile),
    /// Services up and kept, with a stack to play with
    Up(PlanFile),
    /// What `up` leaves in the background
    #[command(hide = true)]
    Keep(PlanFile),
    /// Stop what `up` started
    Down(Checkout),
    /// Show what `up` started
    Status(Checkout),
    /// Show the logs of what `up` started
    Logs {
        /// The service; all of them if none is named
        service: Option<String>,
        /// How many lines of each log
        #[arg(short = 'n', long, default_value_t = 50)]
        lines: usize,
        /// Go on showing what is added
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        checkout: Checkout,
    },
    /// Speak to each service in its own protocol
    Probe {
        #[command(flatten)]
        checkout: Checkout,
        /// The session file of another run than the one that is up
        #[arg(long)]
        session: Option<Utf8PathBuf>,
    },
}

#[derive(Debug, Args)]
struct PlanFile {
    /// The plan, as `cargo xtask` wrote it
    #[arg(long)]
    plan: Utf8PathBuf,
}

#[derive(Debug, Args)]
struct Checkout {
    /// The checkout
    #[arg(long, default_value = ".")]
    root: Utf8PathBuf,
}

impl PlanFile {
    fn read(&self, json: bool) -> anyhow::Result<Plan> {
        let mut plan: Plan = read_json(&self.plan)?;
        plan.json |= json;
        Ok(plan)
    }
}

fn main() -> std::process::ExitCode {
    let flags = Flags::parse();
    let ended = match &flags.verb {
        Verb::Run {
            file,
            guarded: false,
            ..
        } => guard(file, flags.json),
        Verb::Run { file, cut, .. } => cut_off(file, cut, flags.json),
        Verb::Flaky {
            file,
            guarded: false,
        } => guard_rounds("flaky", file, flags.json),
        Verb::Polluter {
            file,
            guarded: false,
        } => guard_rounds("polluter", file, flags.json),
        Verb::Bench(flags_of_bench) => {
            bench::bench(flags_of_bench, Output::new(flags.json), flags.json)
        }
        Verb::Load(flags_of_load) => {
            bench::load(flags_of_load, Output::new(flags.json), flags.json)
        }
        Verb::Stress { kind, folder } => driver::stress(*kind, folder).map(|()| ExitCode::Success),
        Verb::TryToCutOff { folder } => Ok(driver::try_to_cut_off(folder)),
        _ => look_after(&flags),
    };
    match ended {
        Ok(code) => code.into(),
        Err(error) => {
            Output::new(flags.json).error(&error);
            exit_code_of(&error).into()
        }
    }
}

/// Becomes the warden of a run, which this program carries out as a child.
fn guard(file: &PlanFile, json: bool) -> anyhow::Result<ExitCode> {
    let mut arguments = vec!["run", "--guarded", "--plan", file.plan.as_str()];
    arguments.extend(json.then_some("--json"));
    driver::guarded(&file.read(json)?, &arguments)
}

/// Becomes the warden of `verb`, which this program carries out as a child.
fn guard_rounds(verb: &str, file: &PlanFile, json: bool) -> anyhow::Result<ExitCode> {
    #[derive(Deserialize)]
    struct Rounds {
        run: Plan,
    }
    let Rounds { run } = read_json(&file.plan)?;
    let plan = Plan {
        // Each run inside is cut off by its own warden.
        hermetic: Hermetic::Off,
        ..run
    };
    let mut arguments = vec![verb, "--guarded", "--plan", file.plan.as_str()];
    arguments.extend(json.then_some("--json"));
    driver::guarded(&plan, &arguments)
}

/// Carries a run out, cut off from every other machine if the warden says so.
fn cut_off(file: &PlanFile, cut: &driver::Cut, json: bool) -> anyhow::Result<ExitCode> {
    let plan = driver::with_own_programs(file.read(json)?);
    let border = driver::Border::of(cut, &plan.results)?;
    carry_out(plan, border)
}

#[tokio::main(flavor = "current_thread")]
async fn carry_out(plan: Plan, border: driver::Border) -> anyhow::Result<ExitCode> {
    driver::run(plan, border).await
}

#[tokio::main(flavor = "current_thread")]
async fn look_after(flags: &Flags) -> anyhow::Result<ExitCode> {
    let output = Output::new(flags.json);
    match &flags.verb {
        Verb::Run { .. }
        | Verb::TryToCutOff { .. }
        | Verb::Bench(_)
        | Verb::Load(_)
        | Verb::Stress { .. } => {
            unreachable!("they need a process without a runtime")
        }
        Verb::Merge {
            folders,
            into,
            checkout,
        } => driver::merge(&checkout.root, folders, into, output),
        Verb::Flaky { file, .. } => {
            let mut plan: FlakyPlan = read_json(&file.plan)?;
            plan.run = driver::with_own_programs(plan.run);
            plan.run.json |= flags.json;
            driver::flaky(plan).await
        }
        Verb::Polluter { file, .. } => {
            let mut plan: PolluterPlan = read_json(&file.plan)?;
            plan.run = driver::with_own_programs(plan.run);
            plan.run.json |= flags.json;
            driver::polluter(plan).await
        }
        Verb::Up(file) => driver::up(&file.read(flags.json)?, &file.plan).await,
        Verb::Images(file) => driver::images(&file.read(flags.json)?),
        Verb::Keep(file) => driver::keep(file.read(flags.json)?).await,
        Verb::Down(Checkout { root }) => driver::down(root, output).await,
        Verb::Status(Checkout { root }) => driver::status(root, output),
        Verb::Logs {
            service,
            lines,
            follow,
            checkout,
        } => driver::logs(&checkout.root, service.as_deref(), *lines, *follow, output).await,
        Verb::Probe {
            session: Some(file),
            ..
        } => driver::probe(&Session::of(file)?, output).await,
        Verb::Probe { checkout, .. } => {
            driver::probe(&driver::require_attached(&checkout.root)?, output).await
        }
    }
}
