//! `stigmer-e2e`: carries out the plan that `cargo xtask` resolved, and looks after what is up.

mod driver;
mod results;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use stigmer_e2e::session::Session;
use stigmer_e2e_plan::{ExitCode, Output, Plan, exit_code_of, read_json};

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
    },
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
        } => guard(file, flags.json),
        _ => carry_out(&flags),
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

#[tokio::main(flavor = "current_thread")]
async fn carry_out(flags: &Flags) -> anyhow::Result<ExitCode> {
    let output = Output::new(flags.json);
    match &flags.verb {
        Verb::Run { file, .. } => driver::run(file.read(flags.json)?).await,
        Verb::Up(file) => driver::up(&file.read(flags.json)?, &file.plan).await,
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
