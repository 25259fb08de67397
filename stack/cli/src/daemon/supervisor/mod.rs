//! The process that runs everything: `stigmer internal-supervisor`, started by `stigmer server start`
//! in a session of its own. It learns its settings from its first line of input, belongs to whoever
//! started it until that one lets go of it, and ends everything it started before it ends itself.

mod chronicle;
mod dev_server;
mod owner;
mod services;

use std::{collections::HashSet, io, process::ExitCode, rc::Rc};

use anyhow::{Context as _, Result};
use stigmer_process::Signals;
use stigmer_supervise::{Identity, Lease, Mark, Supervisor, leftovers};

use super::Settings;
use chronicle::Chronicle;
use owner::Owner;

pub use owner::{LET_GO, Message};

/// The environment variable that marks every process of a daemon.
pub const MARK: &str = "STIGMER_DAEMON";

/// Runs the supervisor to its end.
pub fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter("info")
        .with_ansi(false)
        .with_writer(io::stderr)
        .init();
    let run = || {
        // Whoever hangs up the terminal of the command that started it does not mean it. It fails
        // only for a process that leads its group already.
        let _ = rustix::process::setsid();
        let (settings, owner) = Owner::introduce()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(supervise(settings, owner))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn supervise(settings: Settings, mut owner: Owner) -> Result<()> {
    let mut signals = Signals::install()?;
    let own = Identity::own()
        .context("this system has no /proc, without which no process can be supervised")?;
    let id = format!("{}-{}", own.pid, own.start);
    let mark = Mark {
        variable: MARK,
        owner: id.clone(),
    };
    let settings = Rc::new(settings);
    let lease = Lease::take(&settings.layout.leases(), &id)?;
    let mut supervisor = Supervisor::new(services::services(&settings), mark, lease)?;
    let mut chronicle = Chronicle::new(own, settings);
    chronicle.note(&supervisor.states());

    let end = run(&mut supervisor, &mut chronicle, &mut owner, &mut signals).await;
    tracing::info!(cause = ?end, "stopping everything");
    chronicle.ending(&supervisor.states());
    let stopped = tokio::select! {
        stopped = supervisor.down() => stopped,
        name = signals.next() => {
            tracing::warn!(signal = name, "second signal, killing everything");
            supervisor.kill().await;
            Vec::new()
        }
    };
    for service in stopped.iter().filter(|service| service.stopped.forced) {
        tracing::warn!(part = service.name, "did not end when asked and was killed");
    }
    let left = leftovers::find_lasting(MARK, &HashSet::from([id])).await?;
    for leftover in &left {
        tracing::warn!(
            pid = leftover.identity.pid,
            command = leftover.command,
            "killing what is left"
        );
    }
    leftovers::kill(&left);
    chronicle.close();
    if let End::Failed(cause) = &end {
        owner.tell(&Message::Failed(cause.clone()));
    }
    supervisor.give_back_lease()?;
    tracing::info!("everything is stopped");
    Ok(())
}

/// Why everything is stopped.
#[derive(Debug)]
enum End {
    /// A signal asked for it.
    Asked,
    /// Whoever started it went away before everything was ready.
    Abandoned,
    /// A part did not start.
    Failed(String),
}

async fn run(
    supervisor: &mut Supervisor,
    chronicle: &mut Chronicle,
    owner: &mut Owner,
    signals: &mut Signals,
) -> End {
    supervisor.start();
    loop {
        tokio::select! {
            name = signals.next() => {
                tracing::info!(signal = name, "graceful shutdown");
                return End::Asked;
            }
            () = owner.gone() => return End::Abandoned,
            () = supervisor.changed() => {}
        }
        if !chronicle.is_up() {
            if let Some(error) = supervisor.failure() {
                return End::Failed(error.to_string());
            }
            if supervisor.all_ready() {
                chronicle.up();
            }
        }
        chronicle.note(&supervisor.states());
        if chronicle.is_up() {
            owner.tell(&Message::Ready);
        }
    }
}
