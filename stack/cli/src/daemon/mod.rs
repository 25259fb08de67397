//! The daemon: Temporal, the server, and the runners of one HOME, run by a supervisor.
//!
//! ```text
//! stigmer server start ─ lock ─ settings ─► supervisor (own session) ─┬─ temporal
//!            ▲   last word: "let go"         │ daemon.json, pid files  ├─ stigmer-server
//!            └──────── ready / failed ───────┘                        ├─ workflow-runner
//! stigmer server stop ── SIGTERM ───────────►                         └─ agent-runner
//! stigmer server status ◄─ daemon.json, process table, health of the API
//! ```
//!
//! A start is a transaction: until everything works, the supervisor belongs to the command that
//! started it, and ends everything when that one goes away. A process is only ever signalled by pid
//! and start time; pid files are written for other tools and never believed.

mod health;
mod layout;
mod llm;
mod lock;
pub mod logs;
mod part;
mod port;
mod record;
mod settings;
mod start;
mod status;
mod stop;
mod supervisor;

use std::time::Duration;

use anyhow::{Result, bail};
use stigmer_supervise::Readiness;

use crate::{config::Config, render::Screen};

pub use layout::{Layout, LayoutError};
pub use llm::{LlmState, models, pull};
pub use part::Part;
pub use record::{PartRecord, Record, Stage, State};
pub use settings::{LlmSettings, Provider, Settings, Temporal};
pub use start::SUPERVISOR;
pub use status::{Overall, PartStatus, Status, temporal_works};
pub use stop::Stopped;
pub use supervisor::main as supervisor_main;

use lock::Lock;

/// A daemon that was started.
#[derive(Debug)]
pub struct Started {
    /// What it says about itself.
    pub record: Record,
    /// Another one ran before, and was stopped.
    pub restarted: bool,
    /// Whether the model can be asked.
    pub llm: LlmState,
}

/// Where the daemon of the user's HOME listens, `host:port`; nothing when none runs.
pub fn address() -> Option<String> {
    let layout = Layout::of_user().ok()?;
    Record::of_running(&layout)
        .filter(|record| record.stage == Stage::Up)
        .map(|record| record.address())
}

/// Starts the daemon and returns once everything works; one that runs is stopped before.
pub async fn start(config: &Config, screen: &Screen) -> Result<Started> {
    let layout = Layout::of_user()?;
    layout.prepare()?;
    let _lock = Lock::take(&layout).await?;
    let restarted = Record::of_running(&layout).is_some();
    if restarted {
        screen.info("Server is already running, restarting...");
    }
    // Even without a supervisor: a killed one may have left something.
    stop::stop(&layout).await?;
    screen.info("Starting Stigmer server...");
    start_stopped(config, restarted).await
}

/// Stops the daemon and everything it started.
pub async fn stop(on_running: impl FnOnce()) -> Result<Stopped> {
    let layout = Layout::of_user()?;
    layout.prepare()?;
    let _lock = Lock::take(&layout).await?;
    if Record::of_running(&layout).is_some() {
        on_running();
    }
    stop::stop(&layout).await
}

/// The address of the daemon, which is started when it does not run; says so on `screen`.
pub async fn ensure_running(screen: &Screen) -> Result<String> {
    if let Some(address) = address() {
        return until_it_answers(address).await;
    }
    let layout = Layout::of_user()?;
    layout.prepare()?;
    let _lock = Lock::take(&layout).await?;
    // Another command may have started it meanwhile.
    if let Some(address) = address() {
        return until_it_answers(address).await;
    }
    screen.info("🚀 Starting local backend daemon...");
    screen.info("   This may take a moment on first run");
    screen.blank();
    stop::stop(&layout).await?;
    let started = start_stopped(&Config::load()?, false).await?;
    if let Some(warning) = llm_warning(&started.record.settings.llm, &started.llm) {
        screen.warning(warning);
    }
    screen.success("Daemon started successfully");
    screen.blank();
    Ok(started.record.address())
}

/// Waits for a server that is being started again.
async fn until_it_answers(address: String) -> Result<String> {
    const LIMIT: Duration = Duration::from_secs(10);
    const PAUSE: Duration = Duration::from_millis(20);
    let answers = async {
        while let Readiness::NotYet(_) = health::probe(&address, "", LIMIT).await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(LIMIT, answers).await {
        Ok(()) => Ok(address),
        Err(_) => bail!(
            "the daemon runs, but its API at {address} did not answer within {LIMIT:?}; see 'stigmer server status'"
        ),
    }
}

/// What is worth saying about a model that cannot be asked.
pub fn llm_warning(llm: &LlmSettings, state: &LlmState) -> Option<String> {
    match state {
        LlmState::Reachable { models } if models.contains(&llm.model) => None,
        LlmState::Reachable { .. } => Some(format!(
            "The LLM at {} does not have the model {}; agents that use it will fail",
            llm.api(),
            llm.model
        )),
        LlmState::Unreachable { reason } => Some(format!(
            "The LLM is not reachable, and agents will fail until it is: {reason}"
        )),
        LlmState::NotAsked { reason } => Some(format!("The LLM was not asked: {reason}")),
    }
}

async fn start_stopped(config: &Config, restarted: bool) -> Result<Started> {
    let settings = Settings::resolve(config).await?;
    let (record, llm) = tokio::join!(start::start(&settings), LlmState::of(&settings.llm));
    Ok(Started {
        record: record?,
        restarted,
        llm,
    })
}
